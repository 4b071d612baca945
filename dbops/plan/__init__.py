"""What is to be done, as data that a person can read, save, compare and approve.

A :class:`Plan` is a list of steps. It holds no secret (only :class:`SecretRef`), no callable and no time-dependent
value apart from ``created_at``, which its digest leaves out: planning twice against the same facts gives the same
digest. Only :mod:`dbops.execute` carries a plan out.

The step vocabulary::

    Sql        one statement in one database, alone or in a named transaction
    Command    a program on the host where dbops runs
    WriteFile  a small text file
    Transfer   bytes from a source through filters into a sink
    Call       an operation of a provider (the repository, a backend, a cloud service)
    Wait       until a probe answers yes, with a deadline
    Together   steps that may run side by side
    Hold       something kept open while other steps run (snapshot, slot, lock, scratch server); always closed
"""

from dbops.plan.document import FORMAT, Plan, dump_plan, load_plan, walk
from dbops.plan.steps import (
    REFERENCE_FORMS,
    REFERENCE_SCHEMES,
    Argument,
    Call,
    Command,
    Filter,
    Fragment,
    FromRepository,
    FromServer,
    Hold,
    Json,
    Need,
    Opening,
    Probe,
    Ref,
    Risk,
    Seal,
    SecretRef,
    Sink,
    Source,
    Sql,
    Step,
    ToCommand,
    ToDirectory,
    ToFile,
    Together,
    ToNowhere,
    ToRepository,
    Transfer,
    Value,
    Wait,
    WriteFile,
)
from dbops.plan.text import difference, render_text

__all__ = [
    "FORMAT",
    "REFERENCE_FORMS",
    "REFERENCE_SCHEMES",
    "Argument",
    "Call",
    "Command",
    "Filter",
    "Fragment",
    "FromRepository",
    "FromServer",
    "Hold",
    "Json",
    "Need",
    "Opening",
    "Plan",
    "Probe",
    "Ref",
    "Risk",
    "Seal",
    "SecretRef",
    "Sink",
    "Source",
    "Sql",
    "Step",
    "ToCommand",
    "ToDirectory",
    "ToFile",
    "ToNowhere",
    "ToRepository",
    "Together",
    "Transfer",
    "Value",
    "Wait",
    "WriteFile",
    "difference",
    "dump_plan",
    "load_plan",
    "render_text",
    "walk",
]
