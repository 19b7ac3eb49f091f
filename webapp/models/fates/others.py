"""What becomes of how somebody got on with others."""

from webapp.models import Block, Report
from webapp.models.fates.fate import GONE, Fate, Fates, of

ROWS: Fates = {
    Block: Fate(f"{GONE}, also others’ of the account", of(Block.user, Block.blocked)),
    Report: Fate(f"{GONE} if about the account; of those by it, its row is what is left", of(Report.about)),
}
