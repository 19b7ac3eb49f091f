"""The words in which somebody is refused by a quota."""

from webapp.lib.complete import complete
from webapp.lib.i18n import number
from webapp.lib.phrases import Phrase, Wording, phrase
from webapp.lib.quota_variables import Quota

# {number} is how many, {seconds} is when the window ends. A number of bytes is given as its text.
REFUSALS = complete(
    "REFUSALS",
    Quota,
    {
        Quota.ACTIVE_TASKS: phrase(
            "quota.active_tasks",
            "You can have {number} task at a time. Wait until it has finished, or cancel it, then try again.",
            plural="You can have {number} tasks at a time. Wait until one has finished, or cancel one, then try again.",
        ),
        Quota.LAUNCHES: phrase(
            "quota.launches",
            "You can start {number} task a minute. Try again in {seconds:estimate}.",
            plural="You can start {number} tasks a minute. Try again in {seconds:estimate}.",
        ),
        Quota.STORAGE: phrase(
            "quota.storage",
            "You can store {number}, and this would be more. Delete some of your files under Settings → Storage, then"
            " try again.",
        ),
        Quota.IMPORT_ROWS: phrase(
            "quota.import_rows",
            "A file can have {number} row, and this one has more.",
            plural="A file can have {number} rows, and this one has more.",
        ),
        Quota.POSTS: phrase(
            "quota.posts",
            "You can post {number} time a minute. Try again in {seconds:estimate}.",
            plural="You can post {number} times a minute. Try again in {seconds:estimate}.",
        ),
        Quota.EXPORTS: phrase(
            "quota.exports",
            "You can download everything {number} time a day. Try again in {seconds:estimate}.",
            plural="You can download everything {number} times a day. Try again in {seconds:estimate}.",
        ),
        Quota.MESSAGES: phrase(
            "quota.messages",
            "You can send {number} message a minute. Try again in {seconds:estimate}.",
            plural="You can send {number} messages a minute. Try again in {seconds:estimate}.",
        ),
        Quota.PEOPLE_MESSAGED: phrase(
            "quota.people_messaged",
            "You can write to {number} new person a day. Try again in {seconds:estimate}, or write to somebody you"
            " wrote to today.",
            plural="You can write to {number} different people a day. Try again in {seconds:estimate}, or write to"
            " somebody you wrote to today.",
        ),
        Quota.REPORTS: phrase(
            "quota.reports",
            "You can report {number} post or message a day. Try again in {seconds:estimate}.",
            plural="You can report {number} posts and messages a day. Try again in {seconds:estimate}.",
        ),
        Quota.TOKENS: phrase(
            "quota.tokens",
            "You can have {number} token at a time. Revoke it, then try again.",
            plural="You can have {number} tokens at a time. Revoke one that you no longer need, then try again.",
        ),
        Quota.API_READS: phrase(
            "quota.api_reads",
            "Your programs can read {number} time a minute. Try again in {seconds:estimate}.",
            plural="Your programs can read {number} times a minute. Try again in {seconds:estimate}.",
        ),
        Quota.API_WRITES: phrase(
            "quota.api_writes",
            "Your programs can change something {number} time a minute. Try again in {seconds:estimate}.",
            plural="Your programs can change something {number} times a minute. Try again in {seconds:estimate}.",
        ),
        Quota.API_LAUNCHES: phrase(
            "quota.api_launches",
            "Your programs can ask to start {number} task a minute. Try again in {seconds:estimate}.",
            plural="Your programs can ask to start {number} tasks a minute. Try again in {seconds:estimate}.",
        ),
        Quota.API_WITHOUT_TOKEN: phrase(
            "quota.api_without_token",
            "Without a good token, programs of your network can ask {number} time a minute. Try again in"
            " {seconds:estimate}.",
            plural="Without a good token, programs of your network can ask {number} times a minute. Try again in"
            " {seconds:estimate}.",
        ),
        Quota.NETWORK_ACCOUNTS: phrase(
            "quota.network_accounts",
            "{number} account has been created from your network today, which is the limit. Try again in"
            " {seconds:estimate}.",
            plural="{number} accounts have been created from your network today, which is the limit. Try again in"
            " {seconds:estimate}.",
        ),
        Quota.SITE_ACCOUNTS: phrase(
            "quota.site_accounts",
            "This site has reached its limit of new accounts for today. Try again in {seconds:estimate}.",
        ),
        Quota.SITE_MAILS: phrase(
            "quota.site_mails", "This site has reached its limit of emails for today. Try again in {seconds:estimate}."
        ),
    },
)


def refusal(quota: Quota, most: int, seconds_left: int | None) -> Phrase:
    """What somebody is told who is refused by a quota."""
    wording: Wording = REFUSALS[quota]
    said = f"{number(most / 1_000_000)} MB" if quota is Quota.STORAGE else most
    return wording(number=said, seconds=seconds_left)
