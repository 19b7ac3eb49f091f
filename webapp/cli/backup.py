"""`flask backup`: a copy of the database, made while the site runs."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.db.backup import CannotBackUp, back_up
from webapp.db.startup import or_one_line


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace an existing backup.")
@with_appcontext
def backup(folder: Path, overwrite: bool) -> None:
    """Copy the database as it is now, and the secret key, into a new FOLDER while the site runs."""
    try:
        with or_one_line():
            settings = current_app.config["SETTINGS"]
            names = back_up(folder, settings.data_dir, settings.secret_key, overwrite)
    except CannotBackUp as error:
        raise click.ClickException(f"no backup was made: {error}") from error
    click.echo(f"Backed up to {folder}: {', '.join(names)}")
    if "secret_key" not in names:
        click.echo("SECRET_KEY is not included: keep it safe separately.")
