"""People: who there is, and one of them. Nobody reads here what is somebody's own: no message, no draft, no file."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from webapp.models import User
from webapp.models.audit_list import AuditFilter
from webapp.models.people_list import LOOKED_AT, Show, busiest, of_address, of_name, shown, with_figures
from webapp.models.permissions import Action, may
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk import ReasonForm
from webapp.web.forms.desk_people import NO_ROLE, PeopleForm, QuotaForm, RoleForm
from webapp.web.paging import PAGE_SIZE, Page, page_by_number
from webapp.web.presenters.desk.audit_entries import shown_entries
from webapp.web.presenters.desk.people import ShownPerson, active_words, role_words, size_words, standing_of
from webapp.web.routes.desk.blueprint import bp

MOST_ENTRIES = 20  # of the audit; its page has the others
LARGEST_ID = 2**31 - 1
BY_ADDRESS = "Only operators can search by address."


@bp.get("/people")
def people() -> ResponseReturnValue:
    """Those who are looked for, or the newest, the busiest, those with a role, the suspended. One query, or two."""
    form = PeopleForm(request.args)
    before = request.args.get("before")
    found = _found(form, before) if not form.errors else Page([], None)
    page = render_template(
        "desk/people/index.html",
        form=form,
        people=found,
        looked_at=LOOKED_AT,
        is_busiest=not form.q.data and form.show.data == Show.BUSIEST.value,
        shows_addresses=may(signed_in_user(), Action.STEER),
        words={"active": active_words, "size": size_words, "role": role_words, "standing": standing_of},
    )
    return page, 422 if form.errors else 200


@bp.get("/people/<int:person_id>")
def person(person_id: int) -> ResponseReturnValue:
    """What an operator needs to know of somebody, and for admins, what they can do about them."""
    return person_page(find_person(person_id))


def find_person(person_id: int, *, in_use: bool = False) -> User:
    """The person of an id; 404 for nobody, and with `in_use` for an account that is to be deleted. One query."""
    user: User | None = User.get_or_none(User.id == person_id) if person_id <= LARGEST_ID else None
    return abort(404) if user is None or (in_use and user.is_deleted) else user


def person_page(user: User, **forms: object) -> str:
    """The page of a person; with the form that was wrong, in place of an empty one."""
    empty = {
        "reason": ReasonForm(formdata=None),
        "quota": QuotaForm(formdata=None),
        "role": RoleForm(formdata=None, role=user.role or NO_ROLE),
        "problem": "",
    }
    return render_template(
        "desk/people/show.html",
        person=ShownPerson(user),
        forms=empty | forms,
        entries=shown_entries(AuditFilter(about=user.id).part(MOST_ENTRIES).entries, signed_in_user()),
        shows_address=may(signed_in_user(), Action.STEER),
    )


def _found(form: PeopleForm, before: str | None) -> Page:
    query = form.q.data
    if not query:
        show = Show(form.show.data)
        if show is Show.BUSIEST:
            return Page(busiest(PAGE_SIZE), None)
        return page_by_number(with_figures(shown(show)), before, User.id)
    if "@" in query:
        if not may(signed_in_user(), Action.STEER):
            form.q.errors = [BY_ADDRESS]
            return Page([], None)
        return Page(list(with_figures(of_address(query, PAGE_SIZE))), None)
    rows = list(with_figures(of_name(query, before or "", PAGE_SIZE + 1)))
    more = rows[PAGE_SIZE - 1].username_key if len(rows) > PAGE_SIZE else None
    return Page([*_of_number(query, before), *rows[:PAGE_SIZE]], more)


def _of_number(query: str, before: str | None) -> list[User]:
    """The person whose number it is, on the first page."""
    number = query.removeprefix("#")
    is_number = not before and number.isascii() and number.isdigit() and int(number[:10]) <= LARGEST_ID
    return list(with_figures(User.select().where(User.id == int(number[:10])))) if is_number else []
