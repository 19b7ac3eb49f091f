"""Reports and suppressed addresses at the desk."""

import pytest

from tests.browsing import browse
from webapp.dev.account_factories import make_report
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_message, make_post, make_user
from webapp.dev.mail_factories import make_suppression
from webapp.models import AuditEntry, Message, Post, Report, Suppression
from webapp.models import report as report_model
from webapp.models.audit import Outcome
from webapp.models.mailing.suppression import Reason
from webapp.models.permissions import Role
from webapp.models.report import Verdict
from webapp.web.routes.desk import reports

HTMX = {"HX-Request": "true"}


@pytest.fixture
def operator(app):
    return browse(app, make_staff())


def test_open_reports_come_oldest_first_with_what_was_said(operator):
    first = make_report(make_user("bob"), make_post(make_user("ann"), "Buy my pills"), "It is an ad.")
    second = make_report()
    page = operator.get("/desk/reports")
    assert [section["id"] for section in page.page.select(".report")] == [f"report-{first.id}", f"report-{second.id}"]
    for said in ("Buy my pills", "It is an ad.", "ann", "bob"):
        assert said in page.words


def test_viewers_read_reported_posts_and_no_messages_and_have_no_buttons(app):
    make_report(subject=make_post(body="Buy my pills"))
    bob = make_user()
    make_report(bob, make_message(make_user(), bob, "A message to Bob alone"))
    page = browse(app, make_staff(Role.VIEWER)).get("/desk/reports")
    assert "Buy my pills" in page.words
    assert "to Bob alone" not in page.words
    assert not page.page.select("main form")
    assert "to Bob alone" in browse(app, make_staff()).get("/desk/reports").words


def test_to_delete_a_post_takes_two_presses_without_javascript(operator):
    make_report()
    [button] = operator.get("/desk/reports").page.select("button[value=deleted]")
    assert button.find_parent("details").summary.get_text(strip=True) == "Delete the post"
    assert operator.get("/desk/reports").page.select_one(f"form#{button['form']}")["action"].endswith("/closing")


def test_to_delete_a_post_closes_all_that_was_reported_of_it(operator):
    post, other = make_post(), make_report()
    one, two = make_report(subject=post), make_report(subject=post)
    assert operator.submit(f"/desk/reports/{one.id}/closing", verdict="deleted").status_code == 303
    assert not Post.select().where(Post.id == post.id).exists()
    assert [report.state for report in Report.select().order_by(Report.id)] == ["open", "closed", "closed"]
    assert Report.get_by_id(two.id).handler_id == operator.user.id
    [entry] = AuditEntry.select()
    assert (entry.target, entry.count, entry.after) == (f"report {one.id}", 2, "deleted")
    closed = operator.get("/desk/reports?show=closed")
    assert [section["id"] for section in closed.page.select(".report")] == [f"report-{two.id}", f"report-{one.id}"]
    assert "Deleted" in closed.words
    assert not closed.page.select(".report form")
    assert other


def test_to_delete_a_message_takes_its_text_from_both(operator):
    message = make_message(make_user(), bob := make_user(), "Spam")
    report = make_report(bob, message)
    assert operator.submit(f"/desk/reports/{report.id}/closing", verdict="deleted").status_code == 303
    assert Message.get_by_id(message.id).body == ""
    assert Report.get_by_id(report.id).text == "Spam"


def test_what_is_gone_already_or_was_handled_by_somebody_else_is_said(operator):
    post = make_post()
    report = make_report(subject=post)
    post.delete_instance()
    assert operator.submit(f"/desk/reports/{report.id}/closing", verdict="deleted").status_code == 303
    again = operator.submit(f"/desk/reports/{report.id}/closing", verdict="fine")
    assert (again.status_code, "Somebody else has closed that report." in again.words) == (422, True)
    assert Report.get_by_id(report.id).outcome == "deleted"
    assert operator.submit(f"/desk/reports/{report.id}/closing", verdict="burn").status_code == 422
    assert operator.submit("/desk/reports/4711/closing", verdict="fine").status_code == 404


def test_nothing_is_deleted_where_nothing_is_wrong(operator):
    report = make_report(subject=(post := make_post()))
    operator.submit(f"/desk/reports/{report.id}/closing", verdict="fine")
    assert Post.get_by_id(post.id)


@pytest.mark.parametrize("query", ["", "?show=closed"])
def test_a_page_of_reports_costs_as_many_queries_for_twenty_as_for_one(operator, queries, query):
    costs = []
    for number in (1, 20):
        for _ in range(number):
            report = make_report()
            if query:
                report.close(operator.user, "fine")
        operator.get(f"/desk/reports{query}")
        with queries() as seen:
            operator.get(f"/desk/reports{query}")
        costs.append(len(seen.get_queries()))
    assert costs[0] == costs[1] <= 4


def test_an_address_is_found_exactly_and_may_be_mailed_again(operator):
    refused = make_suppression(None, "Bea@example.com", Reason.REFUSED)
    make_suppression(None, "cem@example.com", Reason.REFUSED)
    page = operator.get("/desk/reports/suppressions?q=BEA@example.com")
    assert [cell.text for cell in page.page.select("tbody th")] == ["bea@example.com"]
    assert operator.get("/desk/reports/suppressions?q=no-address").status_code == 422
    assert operator.submit(f"/desk/reports/suppressions/{refused.id}/removal").status_code == 303
    assert Suppression.select().count() == 1
    [entry] = AuditEntry.select()
    assert (entry.action, entry.target) == ("allow address", f"suppression {refused.id}"), "and no address"


def test_who_has_unsubscribed_alone_can_undo_that(operator):
    theirs = make_suppression(None, "bea@example.com", Reason.UNSUBSCRIBED)
    answer = operator.submit(f"/desk/reports/suppressions/{theirs.id}/removal")
    assert (answer.status_code, AuditEntry.get().outcome) == (422, Outcome.REFUSED)
    assert Suppression.select().exists()


def test_viewers_see_no_addresses(app):
    make_suppression(None, "bea@example.com", Reason.REFUSED)
    page = browse(app, make_staff(Role.VIEWER)).get("/desk/reports/suppressions?q=bea@example.com")
    assert "bea@example.com" not in page.words


def test_open_reports_are_counted_as_far_as_anybody_reads_and_lead_to_them(operator, monkeypatch):
    assert not operator.get("/desk").page.select("#held .to-do")
    first = operator.get("/desk/_overview", headers=HTMX)
    report = make_report()
    again = operator.get("/desk/_overview", headers=HTMX | {"If-None-Match": first.headers["ETag"]})
    [link] = again.page.select("#held .to-do a")
    assert (link.text, link["href"]) == ("1 open report", "/desk/reports")
    make_report()
    assert operator.get("/desk").one("#held .to-do").text == "2 open reports"
    monkeypatch.setattr(report_model, "MOST_OPEN", 1), monkeypatch.setattr(reports, "MOST_OPEN", 1)
    assert operator.get("/desk").one("#held .to-do").text == "1+ open reports"
    report.close(None, Verdict.FINE)
    assert operator.get("/desk").one("#held .to-do").text == "1 open report"
