"""What a benchmark hands back: figures, each beside what it is compared with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str  # what was measured, in words
    value: float
    unit: str  # "s", "MB", "pictures/s", "points", ...
    ratio: float | None = None  # over what it is compared with; None: a bare figure
    goal: str = ""  # what the ratio or value should be, e.g. "<= 1.25"; "": no goal

    def is_met(self) -> bool | None:
        """Whether the goal is reached, judged by the ratio, or the value when there is none.

        None when there is no goal.
        """
        if not self.goal:
            return None
        sign, limit = self.goal.split()[:2]
        measured = self.value if self.ratio is None else self.ratio
        return measured <= float(limit) if sign == "<=" else measured >= float(limit)


def table(rows: tuple[Row, ...]) -> str:
    """The rows as aligned text."""
    lines = [("what", "value", "unit", "ratio", "goal", "")]
    for row in rows:
        met = row.is_met()
        lines.append(
            (
                row.name,
                f"{row.value:,.4g}" if abs(row.value) < 10_000 else f"{row.value:,.0f}",
                row.unit,
                "" if row.ratio is None else f"{row.ratio:.2f}",
                row.goal,
                "" if met is None else ("met" if met else "NOT MET"),
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    numeric = (1, 3)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
