# SPDX-License-Identifier: MIT
"""`make scenes`: play every scene in both languages, and write an album of the screens."""

import sys
import tempfile
from pathlib import Path

import click

from tools.scenes import album, coverage, run
from tools.scenes.picture import Picture
from tools.scenes.plays import THEMES
from tools.scenes.stage import LANGUAGES
from tools.world import interpreter


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--accept", is_flag=True, help="Take the screens as they are now for right.")
@click.option("--theme", "themes", type=click.Choice(THEMES), multiple=True, help="Play only this theme.")
def main(folder: Path, accept: bool, themes: tuple[str, ...]) -> None:
    """Write the album of all screens into FOLDER. Exit with 1 if a screen looks different from what was accepted."""
    interpreter.require()
    played: dict[str, dict[str, list[Picture]]] = {theme: {} for theme in themes or THEMES}
    changed: list[str] = []
    for theme, by_language in played.items():
        for language in LANGUAGES:
            with tempfile.TemporaryDirectory(prefix="kassa-scenes-") as home:
                by_language[language], opened = run.play(theme, language, Path(home) / "shop")
            different = run.changes(language, by_language[language])
            changed += different
            click.echo("\n".join([f"{theme}, {language}: {len(by_language[language])} screens", *different]))
            if accept:
                run.accept(language, by_language[language])
                run.accept_showing(theme, by_language[language], opened)
    album.write(folder, played)
    click.echo(f"{folder / 'index.html'}")
    shown = run.what_is_shown()
    if accept and not themes:
        run.forget_others({name for what in shown.values() for name in what["pictures"]})
    click.echo(f"accepted screens:\n{coverage.of_accepted(shown)}")
    click.echo(f"{len(changed)} screens look different" if changed else "every screen looks as accepted")
    sys.exit(1 if changed and not accept else 0)


if __name__ == "__main__":
    main()
