"""Who is limited by row-level security: compared with what each of them really sees."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops.access.effective import Effective
from dbops.model.access import Scope
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.testing.servers import Database
from dbops_postgresql import backend


@pytest.mark.proves("postgresql", "access.row_security")
@pytest.mark.parametrize("forced", [False, True])
def test_the_limited_are_those_who_see_fewer_rows(database: Database, forced: bool) -> None:
    names = {word: f"{word}_{database.name}" for word in ("owner", "heir", "reader", "bypass")}
    for name in names.values():
        database.server.login(name)
    database.sql(f"ALTER ROLE {names['bypass']} BYPASSRLS; GRANT {names['owner']} TO {names['heir']}")
    database.sql("CREATE TABLE public.rows (n int); INSERT INTO public.rows SELECT generate_series(1, 10)")
    database.sql(f"ALTER TABLE public.rows OWNER TO {names['owner']}; GRANT SELECT ON public.rows TO PUBLIC")
    database.sql("ALTER TABLE public.rows ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON public.rows USING (n < 3)")
    if forced:
        database.sql("ALTER TABLE public.rows FORCE ROW LEVEL SECURITY")
    with connect(backend, database.endpoint(), resolve=Secrets().resolve) as reader:
        snapshot = backend.access.inspect(reader, backend.probe(reader), Scope(databases=(database.name,)))
    [table] = [one for one in snapshot.objects if one.path == (database.name, "public", "rows")]
    limited = Effective(snapshot, datetime.now(UTC)).row_limited(table)
    for number, principal in enumerate(snapshot.principals):
        if principal.name in names.values():
            [(seen,)] = database.sql("SELECT count(*) FROM public.rows", user=principal.name)
            assert bool(limited >> number & 1) == (seen < 10), principal.name
    assert not limited >> [one.name for one in snapshot.principals].index("postgres") & 1
