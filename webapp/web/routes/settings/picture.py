"""Their profile picture: uploading one, how it stands with that, and removing it."""

from contextlib import suppress

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from tasks.catalogue import CATALOGUE
from webapp.lib.i18n import estimate
from webapp.models import AlreadyRunning, Picture, PictureUpload
from webapp.models.rate_count import Limit, RateCount, TooMany
from webapp.web import htmx
from webapp.web.auth import signed_in_user
from webapp.web.forms.profile import PictureForm, picture_hint
from webapp.web.polling import conditional_fragment
from webapp.web.request_guard import too_large_message
from webapp.web.routes.settings.blueprint import bp

PER_HOUR = Limit(20, 3600)  # uploads: each has a worker open a file
TOO_OFTEN = "You’ve uploaded {most} pictures within an hour. Try again in {when}."


@bp.get("/picture")
def show_picture() -> ResponseReturnValue:
    """The picture, and the form for another."""
    return _page(PictureForm())


@bp.get("/picture/_picture")
def picture_fragment() -> ResponseReturnValue:
    """The picture and how it stands with the upload, as the page includes it."""
    return conditional_fragment(lambda: render_template("settings/_picture.html", upload=_upload()))


@bp.post("/picture")
def update_picture() -> ResponseReturnValue:
    """Take a file to make the picture of, which a worker does: this process never opens it."""
    user, form = signed_in_user(), PictureForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        RateCount.count([PER_HOUR], "pictures", str(user.id))
    except TooMany as error:
        form.picture.errors = [TOO_OFTEN.format(most=PER_HOUR.most, when=estimate(error.seconds_left))]
        return _page(form, 429, {"Retry-After": str(error.seconds_left)})
    PictureUpload.put(user, form.picture.data.read())
    with suppress(AlreadyRunning):  # it sees this one, too, or the next sweep does
        CATALOGUE["prepare_picture"].launch(user)
    return redirect(url_for("settings.show_picture"), 303)


@bp.post("/picture/removal")
def remove_picture() -> ResponseReturnValue:
    """Have no picture any more, and none of what is being prepared."""
    Picture.remove(signed_in_user())
    return htmx.respond(url_for("settings.show_picture"), "Your picture has been removed.")


@bp.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """The page with the reason at the field. No redirect: a browser that is still sending listens to an error alone."""
    form = PictureForm(formdata=None)
    form.picture.errors = [too_large_message()]
    return _page(form, 413)


def _upload() -> PictureUpload | None:
    return PictureUpload.of(signed_in_user())


def _page(form: PictureForm, status: int = 200, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    page = render_template("settings/picture.html", form=form, hint=picture_hint(), upload=_upload())
    return page, status, headers or {}
