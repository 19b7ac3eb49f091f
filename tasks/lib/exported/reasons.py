"""Why columns are left out that many tables have."""

from tasks.lib.exported.row import Excused

YOURS = Excused("It is you in each row.")
SECRET = Excused("It could be used to get into your account, or is a fingerprint of something that could.")
INNER = Excused("It only tells the site's programs how to go on.")
AS_WORDS = Excused("It is the same as another field, in the form from which its words are made.")
FOR_SEARCH = Excused("It is the words of the text once more, as search finds them.")
