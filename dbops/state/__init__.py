"""What dbops remembers on its own host: journal, history, locks. The repository is the truth; this can be deleted."""

from dbops.state.history import History, Run
from dbops.state.journal import Entry, FileJournal, check_journal
from dbops.state.lock import lock
from dbops.state.state import State, default_directory

__all__ = ["Entry", "FileJournal", "History", "Run", "State", "check_journal", "default_directory", "lock"]
