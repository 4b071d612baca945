"""The only writer: a plan goes in, an outcome and a journal come out."""

from dbops.execute.context import Context, Journal
from dbops.execute.outcome import Outcome, StepResult, StepStatus
from dbops.execute.run import execute

__all__ = ["Context", "Journal", "Outcome", "StepResult", "StepStatus", "execute"]
