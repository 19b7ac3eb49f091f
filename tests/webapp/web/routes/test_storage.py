"""What somebody stores: the list of it, letting go of it, and what happens where there is no room for more."""

import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine import Run, Upload
from tasks.engine.models.artifact import Kind
from tasks.engine.retention import purge
from webapp.db import database
from webapp.dev.factories import make_artifact, make_draft, make_mailing, make_mailing_file, make_task, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, MailingFile, State, Task, User, file_deletion
from webapp.models.storage_count import stored_by
from webapp.models.stored_file import Order
from webapp.models.stored_files import files_of
from webapp.web.routes.settings import storage

MB = 1_000_000
URL = "/settings/storage"


@pytest.fixture
def app(make_app):
    """Where an account may store 2 MB, and a guest 1 MB."""
    return make_app(quotas={**UNLIMITED, Quota.STORAGE: Most(2 * MB, MB)})


def _upload(task: Task, name: str = "given.csv", size: int = 3) -> Artifact:
    with database.atomic():
        return Artifact.keep(task, uuid4(), name, [b"x" * size])


def _names(answer) -> list[str]:
    return [name.text for name in answer.page.select(".stored .name bdi")]


def _file(size: int, name: str = "new.txt"):
    return io.BytesIO(b"x" * size), name


@pytest.fixture
def read_file(declare):
    """A task function of a file, in the catalogue."""

    @declare(title="Read {file}")
    def read_file(task: Run, file: Upload, words: str = ""):
        """Reads it."""
        task.attach("copy.txt", file.read())

    return read_file


# The page


def test_an_account_without_files_is_told_what_would_be_there(ann):
    page = ann.get(URL)
    assert "You’ve used 0 of 2 MB" in page.words
    assert "You have no files." in page.words


def test_a_guest_learns_how_to_get_more(ann):
    User.update(password_hash="").where(User.id == ann.user.id).execute()
    page = ann.get(URL)
    assert "0 of 1 MB" in page.words
    assert "Set a password to keep this account and store up to 2 MB." in page.words


def test_the_page_says_how_much_is_used_and_by_what(ann):
    make_artifact(make_task(State.SUCCEEDED, ann.user), "made.zip", "x" * 300_000)
    _upload(make_task(State.SUCCEEDED, ann.user), "given.csv", 1_000_000)
    make_mailing_file(make_draft(ann.user, body="Hello", recipients=""), "notes.txt", b"12345")
    page = ann.get(URL)
    assert "You’ve used 1.3 of 2 MB" in page.words
    assert [amount.text for amount in page.page.select(".amounts dd")] == ["300.0 kB", "1.0 MB", "5 bytes", "5 bytes"]
    assert _names(page) == ["given.csv", "made.zip", "notes.txt"]
    assert _names(ann.get(f"{URL}?order=age")) == ["notes.txt", "given.csv", "made.zip"]


def test_a_row_says_what_it_belongs_to_and_when_it_goes(ann):
    task = make_task(State.SUCCEEDED, ann.user, title="Export posts")
    make_artifact(task, "made.zip")
    row = ann.get(URL).one(".stored li")
    assert row.find("a", string="Export posts")["href"] == f"/tasks/{task.id}"
    assert "goes away on" in row.text
    task = make_task(State.SCHEDULED, ann.user)
    _upload(task, "later.csv", 99)
    assert "goes away 30 days after its task has finished" in ann.get(URL).page.select(".stored li")[0].text


@pytest.mark.parametrize("order", Order)
def test_the_pages_have_each_file_once(each_database, order, monkeypatch):
    monkeypatch.setattr(storage, "PAGE_SIZE", 3)
    user, draft = make_user(), None
    for size in (5, 5, 5, 7, 2):
        make_artifact(make_task(State.SUCCEEDED, user), f"a{size}", "x" * size)
        draft = make_draft(user)
        make_mailing_file(draft, f"m{size}", b"x" * size)
    found, after = [], None
    while page := files_of(user, order, after, 3):
        found, after = [*found, *page], page[-1].position(order)
    assert len(found) == len({file.id for file in found}) == 10
    keys = [file.position(order)[0] for file in found]
    assert keys == sorted(keys, reverse=True)


def test_the_pages_lead_on_and_an_address_that_none_gave_out_is_refused(ann, monkeypatch):
    monkeypatch.setattr(storage, "PAGE_SIZE", 2)
    for size in range(5):
        make_artifact(make_task(State.SUCCEEDED, ann.user), f"a{size}", "x" * size)
    for order in Order:
        address, seen = f"{URL}?order={order}", []
        while address:
            page = ann.get(address)
            seen += _names(page)
            following = page.page.select_one("a[rel=next]")
            address = following and following["href"]
        assert seen == ["a4", "a3", "a2", "a1", "a0"]
    for cursor in ("x", "5_x", "5_a7", f"-5_a{uuid4()}", "99999999999999999999_m1", "5_m99999999999999999999"):
        assert ann.get(URL, query_string={"before": cursor}).status_code == 400, cursor


# Letting go


def test_a_file_that_is_deleted_is_gone_at_once_and_its_task_says_so(ann):
    task = make_task(State.SUCCEEDED, ann.user)
    artifact, other = make_artifact(task, "made.zip", "x" * 300_000), make_artifact(task, "other.zip")
    answer = ann.submit(URL, only=f"a{artifact.id}")
    assert (answer.status_code, answer.location) == (303, f"{URL}?order=size")
    page = ann.get(URL)
    assert "1 file deleted." in page.words
    assert _names(page) == ["other.zip"]
    assert stored_by(ann.user.id) == other.size
    assert not ArtifactChunk.select().where(ArtifactChunk.artifact == artifact).exists()
    assert "deleted by you on" in ann.get(f"/tasks/{task.id}").words
    assert ann.get(f"/artifacts/{artifact.id}").status_code == 410
    ann.submit(URL, only=f"a{artifact.id}")
    assert "Nothing was deleted. 1 file is still needed, or was gone already." in ann.get(URL).words


def test_those_that_are_selected_go_and_what_is_needed_stays(ann):
    done, scheduled = make_task(State.SUCCEEDED, ann.user), make_task(State.SCHEDULED, ann.user)
    made, needed = make_artifact(done), _upload(scheduled)
    file = make_mailing_file(make_draft(ann.user))
    ann.submit(URL, action="selected", file=[f"a{made.id}", f"a{needed.id}", f"m{file.id}", "nonsense"])
    page = ann.get(URL)
    assert "2 files deleted. 1 file is still needed" in page.words
    assert _names(page) == ["given.csv"]
    assert "Its task hasn’t finished. Cancel the task first." in page.words
    assert not page.page.select(".stored input, .stored button"), "no way to try"


def test_nothing_selected_is_said(ann):
    make_artifact(make_task(State.SUCCEEDED, ann.user))
    answer = ann.submit(URL, action="selected")
    assert (answer.status_code, "Select at least one file first." in answer.words) == (422, True)


def test_all_of_finished_tasks_go_at_once_and_nothing_else(ann, monkeypatch):
    monkeypatch.setattr(file_deletion, "BATCH", 2)
    for state in (State.SUCCEEDED, State.FAILED, State.CANCELED, State.IN_PROGRESS, State.PAUSED):
        task = make_task(state, ann.user)
        make_artifact(task, f"made {state}")
        _upload(task, f"given {state}")
    make_mailing_file(make_mailing(ann.user, state=State.SUCCEEDED), "sent")
    theirs = make_artifact(make_task(State.SUCCEEDED))
    ann.submit(URL, action="finished")
    page = ann.get(URL)
    assert "6 files deleted." in page.words
    assert sorted(_names(page)) == ["given in_progress", "given paused", "made in_progress", "made paused", "sent"]
    assert Artifact.get_by_id(theirs.id).expired_at is None


def test_what_takes_too_long_is_left_for_the_next_press(ann, monkeypatch):
    make_artifact(make_task(State.SUCCEEDED, ann.user))
    assert file_deletion.delete_of_finished_tasks(ann.user, longest=-1).are_more
    assert file_deletion.delete_of_finished_tasks(ann.user).number == 1


def test_content_that_is_left_by_a_deletion_that_was_cut_off_goes_with_the_next_purge(ann, monkeypatch):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user))
    monkeypatch.setattr(file_deletion, "clear", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        file_deletion.delete_artifacts(ann.user, [artifact.id])
    assert ArtifactChunk.select().exists()
    purge()
    assert not ArtifactChunk.select().exists()
    assert Artifact.get_by_id(artifact.id).deleted_at


@pytest.mark.parametrize("state", [State.SCHEDULED, State.IN_PROGRESS, State.FAILED, State.CANCELED])
def test_an_attachment_that_is_still_to_be_sent_stays(ann, state):
    file = make_mailing_file(make_mailing(ann.user, state=state))
    ann.submit(URL, only=f"m{file.id}")
    assert MailingFile.get_or_none(MailingFile.id == file.id)
    assert re.search("scheduled email|being sent|Not everybody got", ann.get(URL).words)


def test_an_attachment_of_a_mail_that_was_sent_can_go_and_its_text_stays(ann):
    mailing = make_mailing(ann.user, state=State.SUCCEEDED)
    file = make_mailing_file(mailing)
    ann.submit(URL, only=f"m{file.id}")
    page = ann.get(f"/mail/{mailing.id}")
    assert "Hello" in page.words
    assert "notes.txt" not in page.words


def test_what_a_retry_goes_on_with_stays(ann):
    task = make_task(State.FAILED, ann.user)
    part = Artifact.create(task=task, owner_id=ann.user.id, name="part.csv", size=7)
    ann.submit(URL, only=f"a{part.id}")
    assert "It isn’t complete, and a retry would go on with it." in ann.get(URL).words
    assert Artifact.get_by_id(part.id).expired_at is None


def test_what_is_somebody_elses_is_not_found(ann, bob):
    artifact = make_artifact(make_task(State.SUCCEEDED, bob.user))
    file = make_mailing_file(make_draft(bob.user))
    for value in (f"a{artifact.id}", f"m{file.id}", f"a{uuid4()}", "nonsense"):
        assert ann.submit(URL, only=value).status_code == 404, value
    assert ann.submit(URL, action="selected", file=[f"a{artifact.id}"]).status_code == 404
    assert ann.submit(URL, action="selected", file=[f"m{file.id}"]).status_code == 404
    assert _names(ann.get(URL)) == []
    assert len(_names(bob.get(URL))) == 2


def test_a_task_whose_upload_was_deleted_says_so_when_it_is_retried(ann, read_file, run_tasks):
    task = read_file.launch(ann.user, file=Upload("a.txt", b"some text"))
    run_tasks()
    Task.update(state=State.FAILED).where(Task.id == task.id).execute()
    [upload] = Artifact.select().where(Artifact.kind == Kind.UPLOAD)
    assert "Its task can’t be retried without it." in ann.get(URL).words
    ann.submit(URL, only=f"a{upload.id}")
    task.reload().retry()
    run_tasks()
    assert task.reload().error_words() == "You deleted a.txt, which this task needs. Start a new task instead."


# No room


def test_an_upload_beyond_the_quota_is_refused_at_its_field(ann, read_file):
    make_artifact(make_task(State.SUCCEEDED, ann.user), data="x" * 1_500_000)
    answer = ann.submit("/tasks/new/read_file", file=_file(600_000), words="as I typed")
    assert answer.status_code == 422
    assert answer.one("#file-error").text == (
        "You can store 2 MB, and this would be more."
        " Delete some of your files under Settings → Storage, then try again."
    )
    assert answer.one("#words")["value"] == "as I typed"
    assert Task.select().count() == 1
    assert ann.submit("/tasks/new/read_file", file=_file(400_000)).status_code == 303


def test_a_form_with_files_says_so_once_little_room_is_left(ann, read_file):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), data="x" * 1_590_000)
    assert "You’ve used" not in ann.get("/tasks/new/read_file").words
    Artifact.update(size=1_600_000).where(Artifact.id == artifact.id).execute()
    assert "You’ve used 1.6 of 2 MB." in ann.get("/tasks/new/read_file").words
    assert "You’ve used 1.6 of 2 MB." in ann.get("/mail").words
    assert "You’ve used" not in ann.get("/tasks/new/countdown").words


def test_an_attachment_beyond_the_quota_is_refused_at_its_field(ann):
    answer = ann.submit("/mail/draft", subject="Hello", attachment=[_file(1_500_000, "a.txt"), _file(600_000, "b.txt")])
    assert answer.status_code == 422
    assert answer.one("#attachment-error").text.endswith("then try again. Not attached: b.txt")
    assert answer.one("#subject")["value"] == "Hello"
    assert [file.name for file in MailingFile.select(MailingFile.name)] == ["a.txt"]


def test_a_text_beyond_the_quota_is_kept_on_the_page(ann):
    make_artifact(make_task(State.SUCCEEDED, ann.user), data="x" * 1_999_990)
    answer = ann.submit("/mail/draft", subject="Hello", body="more than there is room for")
    assert answer.status_code == 422
    assert answer.one("#recipients-error").text.endswith("This isn’t saved yet.")
    assert answer.one("#body").text.strip() == "more than there is room for"
    typed = ann.submit("/mail/draft", headers={"HX-Request": "true"}, body="more than there is room for")
    assert "This isn’t saved yet." in typed.words
    assert "Draft saved" not in typed.words


def test_what_is_scheduled_far_ahead_counts_too(ann, read_file):
    read_file.launch(ann.user, run_at=utcnow() + timedelta(days=300), file=Upload("a.txt", b"x" * 1_900_000))
    assert ann.submit("/tasks/new/read_file", file=_file(200_000)).status_code == 422


# A draft for which there is no room


@pytest.fixture
def full(ann, mailserver) -> MailingFile:
    """An attachment of Ann's draft that leaves room for little else."""
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    return make_mailing_file(make_draft(ann.user, subject="Before"), data=b"x" * (2 * MB - 200))


def test_no_test_is_sent_of_a_draft_that_could_not_be_saved(ann, full):
    answer = ann.submit("/mail/test", subject="After", template="free", body="y" * 1000)
    assert (answer.status_code, answer.one("#body").text.strip()) == (422, "y" * 1000)
    assert "This isn’t saved yet." in answer.one("#recipients-error").text
    assert not Task.select().exists()


def test_removing_a_file_makes_room_for_what_was_typed(ann, full):
    answer = ann.submit(f"/mail/files/{full.id}/deletion", subject="After", template="free", body="y" * 1000)
    assert (answer.status_code, answer.location) == (303, "/mail#mail-files")
    page = ann.get("/mail")
    assert (page.one("#subject")["value"], page.one("#body").text.strip()) == ("After", "y" * 1000)
    assert not MailingFile.select().exists()


def test_what_still_does_not_fit_stays_on_the_page(ann, full):
    other = make_mailing_file(full.mailing, data=b"z", name="small.txt")
    answer = ann.submit(f"/mail/files/{other.id}/deletion", subject="After", template="free", body="y" * 1000)
    assert (answer.status_code, answer.one("#body").text.strip()) == (422, "y" * 1000)
    assert "This isn’t saved yet." in answer.one("#recipients-error").text
    assert [file.id for file in MailingFile.select()] == [full.id]
