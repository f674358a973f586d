# SPDX-License-Identifier: MIT
"""Records a run of the demo: a transcript of the screen, one picture per step, and the receipts."""

from pathlib import Path

from tools.world.world import World


class Recorder:
    """Writes transcript.txt, screens/ and receipts/ below `out`."""

    def __init__(self, out: Path, world: World) -> None:
        self._out = out
        self._world = world
        self._steps = 0
        (out / "screens").mkdir(parents=True, exist_ok=True)
        (out / "receipts").mkdir(exist_ok=True)
        self._transcript = open(out / "transcript.txt", "w", encoding="utf-8")

    def step(self, title: str) -> list[str]:
        """Record the current screen under a title. Returns its lines."""
        self._steps += 1
        lines = self._world.screen_text()
        name = f"{self._steps:02d}-" + "".join(letter if letter.isalnum() else "-" for letter in title.lower())
        (self._out / "screens" / f"{name[:60]}.png").write_bytes(self._world.screen_png())
        print(
            f"{self._steps:02d}. {title}",
            *(f"      {line}" for line in lines),
            sep="\n",
            file=self._transcript,
            flush=True,
        )
        return lines

    def close(self) -> None:
        """Save the receipts and close the transcript."""
        for number, receipt in enumerate(self._world.receipts, 1):
            (self._out / "receipts" / f"{number:02d}.txt").write_text(receipt.text(), encoding="utf-8")
        self._transcript.close()
