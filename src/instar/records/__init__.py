"""The records that instar passes from step to step and writes to disk: the table of contents of the tool.

In the order in which they are written: `Dataset`, `Finding` and `Audit` (records.data); `Card`, `Measurements`,
`Decision`, `Stage`, `Recipe` and `Plan` (records.plan); `Temperature`, `Threshold` and `Sets` (records.confidence);
`Epoch`, `Score`, `Confidence` and `Evaluation` (records.results); `Reasons` (records.reasons); `Study` (records.study);
`Slide` and its blocks (records.slides). Records are frozen; functions take records and return records; only `store`
and the steps that say so touch the disk.
"""

from instar.records.confidence import Sets, Temperature, Threshold
from instar.records.data import (
    STRICT,
    Audit,
    Dataset,
    Finding,
    Json,
    Split,
    Verdict,
)
from instar.records.plan import (
    Basis,
    Card,
    Decision,
    Group,
    InputSpec,
    Measurements,
    Plan,
    Recipe,
    Stage,
    Timing,
)
from instar.records.reasons import Reasons
from instar.records.results import (
    Confidence,
    Epoch,
    Evaluation,
    Method,
    Score,
)
from instar.records.slides import (
    Block,
    Chain,
    Figure,
    Gallery,
    Headline,
    MarkedQuote,
    MarkedQuotes,
    Picture,
    Points,
    Quote,
    Quotes,
    Slide,
    TableBlock,
)
from instar.records.study import Joint, Kind, Study

__all__ = [
    "STRICT",
    "Audit",
    "Basis",
    "Block",
    "Card",
    "Chain",
    "Confidence",
    "Dataset",
    "Decision",
    "Epoch",
    "Evaluation",
    "Figure",
    "Finding",
    "Gallery",
    "Group",
    "Headline",
    "InputSpec",
    "Joint",
    "Json",
    "Kind",
    "MarkedQuote",
    "MarkedQuotes",
    "Measurements",
    "Method",
    "Picture",
    "Plan",
    "Points",
    "Quote",
    "Quotes",
    "Reasons",
    "Recipe",
    "Score",
    "Sets",
    "Slide",
    "Split",
    "Stage",
    "Study",
    "TableBlock",
    "Temperature",
    "Threshold",
    "Timing",
    "Verdict",
]
