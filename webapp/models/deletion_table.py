"""The table of what becomes of each model's rows when an account is deleted.

Whoever adds a model adds its row, to the module of `webapp.models.fates` that is about such things.
"""

from webapp.lib.complete import complete
from webapp.models import MODELS
from webapp.models.fates import (
    account,
    mails,
    others,
    site,
    work,
    writing,
)
from webapp.models.fates.fate import Fates

# In the order in which batches delete: what refers to other rows goes before these, and counts go after all of it.
FATES: Fates = complete(
    "FATES",
    MODELS,
    {
        **account.ROWS,
        **others.ROWS,
        **writing.ROWS,
        **mails.ROWS,
        **work.ROWS,
        **site.ROWS,
    },
)
