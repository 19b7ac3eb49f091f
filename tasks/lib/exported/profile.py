"""What a person gets of how others see them."""

from collections.abc import Iterator, Mapping

from peewee import Model, ModelSelect, fn

from tasks.lib.exported.reasons import INNER, YOURS
from tasks.lib.exported.row import Column, Content, Excused, Exported, Row
from webapp.models import FormerName, Picture, PictureUpload, User

SIZE = fn.LENGTH(Picture.large)
SHOWN = Excused("The content is a file of this ZIP file, at its path.")


def _pictures(user: User) -> "ModelSelect[Picture]":
    return (
        Picture.select(Picture.id, Picture.made_at, SIZE.alias("size"))
        .where(Picture.user == user.id)
        .order_by(Picture.id)
    )


def _path(_picture: Picture) -> str:
    return "files/picture.webp"


def _pieces(picture: Picture, first: int) -> Iterator[bytes]:
    if not first:
        yield bytes(Picture.get_by_id(picture.id).large)


ROWS: Mapping[type[Model], Row] = {
    FormerName: Exported(
        file="former_names.json",
        title="usernames that you had before",
        of=lambda user: [FormerName.select().where(FormerName.user == user.id).order_by(FormerName.id)],
        columns={
            "id": Column("the number of the name"),
            "user": YOURS,
            "key": Column("the name, in lower case"),
            "skeleton": INNER,
            "until": Column("until when links with it lead to you"),
        },
    ),
    Picture: Exported(
        file="picture.json",
        title="your profile picture",
        of=lambda user: [_pictures(user)],
        columns={
            "id": Column("the number of the picture"),
            "user": YOURS,
            "version": INNER,
            "large": SHOWN,
            "small": Excused("It is the same picture, smaller."),
            "made_at": Column("when it was made of what you uploaded"),
        },
        more={"path": Column("where it is in this ZIP file", value=_path)},
        content=Content(of=_pictures, path=_path, pieces=_pieces, size=SIZE),
    ),
    PictureUpload: Excused("A file that you have just uploaded, until your picture is made of it."),
}
