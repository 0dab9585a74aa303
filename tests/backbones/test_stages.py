"""What the stages of backbones are called."""

from tlapp.backbones.stages import STAGE_SPECS, stage_title
from tlapp.messages import message, verbatim


def test_every_stage_has_a_title_that_reads_as_its_name() -> None:
    names = {name for spec in STAGE_SPECS.values() for name, _ in spec} | {"head"}
    for name in names:
        assert stage_title(name) != verbatim(name), name
        assert str(stage_title(name)) == name


def test_a_stage_of_another_version_is_called_by_its_name() -> None:
    assert stage_title("stage 3") == message("stage {number}", number=3)
    assert stage_title("neck") == verbatim("neck")
