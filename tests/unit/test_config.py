"""The configuration: what is right becomes frozen values, what is wrong is named with its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbops.config import BackupConfig, Config, Target, VerifyConfig, Waiver, find, load, parse
from dbops.errors import ConfigError, UsageError
from dbops.model.backup import Keep, Objective
from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops.secrets import Secrets

WHOLE = r"""
[defaults]
repository = "main"
timeout = "9s"

[repositories.main]
url = "file:///var/lib/dbops"
encrypt_to = ["age1x"]
identity = "file:/etc/dbops/key"

[repositories.far]
url = "s3://bucket/prefix"

[state]
url = "postgresql+psycopg://dbops@state/dbops"
password = "env:STATE_PASSWORD"

[targets.shop]
url = "postgresql://dbops@db1.example/postgres?sslmode=require"
password = "env:SHOP_PASSWORD"
labels = { env = "prod", tier = "1" }
members = ["postgresql://db2.example/"]
timeout = "30s"
repository = "far"

[targets.shop.objective]
rpo = "15m"
rto = "2h"
keep = { daily = 7, weekly = 4, within = "30d" }
verify = { every = "7d", level = "restore" }

[targets.shop.backup]
staging = "/srv/copies"

[targets.shop.verify]
into = "/var/lib/dbops/scratch"
paths = { '\\nas\sql' = '/mnt/sql' }
tools = "/usr/lib/postgresql/15/bin"

[targets.shop.health]
thresholds = { "pg.connections" = { warning = 0.5 } }
skip = ["pg.eol"]

[[targets.shop.waivers]]
id = "pg.superuser"
reason = "migration"
until = "2027-01-01"

[targets.stock]
url = "postgresql:///stock"
labels = { env = "prod" }
objective = { keep = "7d,12m" }

[targets.old]
url = "postgresql:///old"
labels = { env = "test" }

[jobs.nightly]
do = "backup"
targets = "label:env=prod"
at = "15 2 * * *"
"""


def keeper(value: str) -> SecretRef:
    return Secrets({}).literal(value)


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, "my.toml")
    assert caught.value.code == 78
    return caught.value


def test_a_target_with_everything() -> None:
    assert parse(WHOLE).targets["shop"] == Target(
        name="shop",
        endpoint=Endpoint(
            engine="postgresql",
            host="db1.example",
            user="dbops",
            database="postgres",
            password=SecretRef("env:SHOP_PASSWORD"),
            options={"sslmode": "require"},
        ),
        repository="far",
        objective=Objective(rpo_s=900, rto_s=7200, keep=Keep(daily=7, weekly=4, within_s=30 * 86400)),
        verify_every_s=7 * 86400,
        verify_level="restore",
        backup=BackupConfig(staging="/srv/copies"),
        verify=VerifyConfig(
            into="/var/lib/dbops/scratch", paths={"\\\\nas\\sql": "/mnt/sql"}, tools="/usr/lib/postgresql/15/bin"
        ),
        labels={"env": "prod", "tier": "1"},
        members=("postgresql://db2.example/",),
        thresholds={"pg.connections": {"warning": 0.5}},
        skip=("pg.eol",),
        waivers=(Waiver(id="pg.superuser", reason="migration", until="2027-01-01"),),
        timeout_s=30,
    )


def test_defaults_fill_what_a_target_leaves_out() -> None:
    stock = parse(WHOLE).targets["stock"]
    assert (stock.repository, stock.timeout_s) == ("main", 9)
    assert stock.objective == Objective(keep=Keep(daily=7, monthly=12))
    assert (stock.verify_every_s, stock.verify_level) == (None, "full")


def test_nothing_is_required() -> None:
    config = parse("")
    assert (config.targets, config.jobs, config.repositories, config.state.url) == ({}, {}, {}, None)


def test_names_are_kept_beside_their_values() -> None:
    config = parse(WHOLE)
    assert config.repositories["main"].name == "main"
    assert config.repositories["main"].identity == "file:/etc/dbops/key"
    assert config.jobs["nightly"].name == "nightly"
    assert config.jobs["nightly"].timezone == "UTC"
    assert config.state.password == "env:STATE_PASSWORD"


TARGET = '[targets.shop]\nurl = "postgresql:///x"\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[target.x]", "my.toml: unknown key target", "Did you mean 'targets'?"),
        ("[xyzzy]", "my.toml: unknown key xyzzy", "There is: defaults, jobs, repositories, state, targets."),
        (TARGET + 'pasword = "env:X"', "my.toml: unknown key targets.shop.pasword", "Did you mean 'password'?"),
        (TARGET + 'objective = { rp = "5m" }', "my.toml: unknown key targets.shop.objective.rp", "Did you mean 'rpo'?"),
        (
            TARGET + "objective = { verify = { evry = '7d' } }",
            "my.toml: unknown key targets.shop.objective.verify.evry",
            "Did you mean 'every'?",
        ),
        (
            TARGET + '[[targets.shop.waivers]]\nid = "a"\nreason = "b"\n[[targets.shop.waivers]]\nidd = "a"',
            "my.toml: unknown key targets.shop.waivers[1].idd",
            "Did you mean 'id'?",
        ),
        (TARGET + 'name = "other"', "my.toml: unknown key targets.shop.name", ""),
        ("[jobs.n]\ndo = 'backup'\ntargets = 'all'\nat = 5", "my.toml: jobs.n.at: Expected `str`, got `int`", ""),
        ("[jobs.n]\ndo = 'backup'", "my.toml: jobs.n: Object missing required field `targets`", ""),
        (TARGET + "labels = { tier = 1 }", "my.toml: targets.shop.labels[...]: Expected `str`, got `int`", ""),
        ("targets = 3", "my.toml: targets must be a table of tables, such as [targets.main]", ""),
        (TARGET + 'timeout = "5"', "my.toml: targets.shop.timeout: '5' is not a length of time", "Write it as 30s"),
        ('[defaults]\ntimeout = "x"', "my.toml: defaults.timeout: 'x' is not a length of time", "Write it as 30s"),
        (
            TARGET + 'objective = { rpo = "" }',
            "my.toml: targets.shop.objective.rpo: '' is not a length of time",
            "Write it as 30s",
        ),
        (
            TARGET + 'objective = { keep = "7x" }',
            "my.toml: targets.shop.objective.keep: '7x' is not a retention",
            "Write it as 7d,4w,12m",
        ),
        (
            TARGET + 'objective = { keep = "" }',
            "my.toml: targets.shop.objective.keep: '' is not a retention",
            "Write it as 7d,4w,12m",
        ),
        (
            TARGET + "objective = { keep = { dayly = 7 } }",
            "my.toml: targets.shop.objective.keep: unknown key 'dayly'",
            "Known: daily",
        ),
        (
            TARGET + "objective = { verify = { level = 'fool' } }",
            "my.toml: targets.shop.objective.verify.level: Invalid enum value 'fool'",
            "",
        ),
        ('[targets.shop]\nurl = "db1"', "my.toml: targets.shop.url: not a database URL", "postgresql://user@host"),
        (
            TARGET + 'password = "hunter2"',
            "my.toml: targets.shop.password: this is not a reference to a secret",
            "env:NAME",
        ),
        (
            '[targets.shop]\nurl = "postgresql://u:hunter2@h/d"',
            "my.toml: targets.shop.url holds a password",
            "Write password =",
        ),
        (
            TARGET + 'members = ["postgresql://h/", "postgresql://u:hunter2@h/"]',
            "my.toml: targets.shop.members[1] holds a password",
            "Write password =",
        ),
        ('[state]\nurl = "postgresql://u:hunter2@h/d"', "my.toml: state.url holds a password", "Write password ="),
        ('[state]\npassword = "hunter2"', "my.toml: state.password: this is not a reference to a secret", "env:NAME"),
        ('[repositories.m]\nurl = "file:///x"\n[defaults]\nrepository = "n"',
            "my.toml: defaults.repository names 'n', which is not there", "There is: m."),
        (TARGET + 'repository = "main"',
            "my.toml: targets.shop.repository names 'main', which is not there", "Add [repositories.main] with a url."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_path_and_the_nearest_key(text: str, message: str, hint: str) -> None:
    error = refused(text)
    assert error.message == message
    assert hint in error.hint
    assert bool(hint) == bool(error.hint) or not hint
    assert "hunter2" not in str(error)


def test_toml_that_cannot_be_read_names_the_line() -> None:
    assert "line 2" in refused("[a]\nb = oh\n").message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dbops.toml"
    with pytest.raises(ConfigError, match=f"^{path}: cannot be read: No such file or directory$"):
        load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=f"^{path}: not UTF-8 text$"):
        load(path)


# Targets


def test_a_target_by_name_or_by_url() -> None:
    config = parse(WHOLE)
    assert config.target("shop", keeper) is config.targets["shop"]
    made = config.target("postgresql://u@db9.example:5433/x", keeper)
    assert made == Target(
        name="db9.example-5433",
        endpoint=Endpoint(engine="postgresql", host="db9.example", port=5433, user="u", database="x"),
        repository="main",
        timeout_s=9,
    )


def test_a_password_in_a_url_goes_to_the_keeper() -> None:
    secrets = Secrets({})
    target = parse("").target("postgresql://u:hunter2@h/x", secrets.literal)
    assert target.endpoint.password is not None
    assert secrets.resolve(target.endpoint.password) == "hunter2"
    assert "hunter2" not in repr(target)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql:///x", "local"),
        ("postgresql://%2Frun%2Fpg/x", "run-pg"),
        ("postgresql://[::1]:5433/x", "1-5433"),
    ],
)
def test_a_target_of_a_url_has_a_name_that_fits_into_a_path(url: str, name: str) -> None:
    assert parse("").target(url, keeper).name == name


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        parse(WHOLE, "my.toml").target("shap", keeper)
    assert caught.value.message == "there is no target 'shap' in my.toml"
    assert caught.value.hint == "Did you mean 'shop'?"
    with pytest.raises(UsageError, match=r"no dbops.toml was found") as caught:
        Config().target("shop", keeper)
    assert "postgresql://" in caught.value.hint


def names(selector: str | list[str]) -> list[str]:
    return [target.name for target in parse(WHOLE, "my.toml").select(selector, keeper)]


def test_targets_by_label_by_name_and_each_once() -> None:
    assert names("all") == ["shop", "stock", "old"]
    assert names("label:env=prod") == ["shop", "stock"]
    assert names("stock") == ["stock"]
    assert names(["label:tier=1", "old", "label:env=prod"]) == ["shop", "old", "stock"]


def test_a_label_that_nothing_has() -> None:
    with pytest.raises(ConfigError, match=r"my.toml: no target has the label env=dev\n") as caught:
        names("label:env=dev")
    assert caught.value.hint == "Did you mean 'env=test'?"


# Repositories


def test_a_repository_by_name_or_by_default() -> None:
    config = parse(WHOLE)
    assert config.repository("far").url == "s3://bucket/prefix"
    assert config.repository(None).name == "main"


def test_the_only_repository_needs_no_name() -> None:
    assert parse('[repositories.one]\nurl = "file:///x"').repository(None).name == "one"


def test_no_repository_or_an_unknown_one() -> None:
    with pytest.raises(ConfigError, match="no repository is configured") as caught:
        parse("").repository(None)
    assert "[repositories.main]" in caught.value.hint
    with pytest.raises(ConfigError, match="there is no repository 'fur'") as caught:
        parse(WHOLE).repository("fur")
    assert caught.value.hint == "Did you mean 'far'?"


# Where it is found


def write(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[targets.{target}]\nurl = "postgresql:///x"\n')


def test_the_first_configuration_found_is_taken(tmp_path: Path) -> None:
    cwd, user = tmp_path / "cwd", tmp_path / "home" / ".config"
    cwd.mkdir()
    env = {"HOME": str(tmp_path / "home")}

    def found(explicit: str | None = None) -> list[str]:
        return list(find(explicit, env, cwd).targets)

    assert found() == [] or Path("/etc/dbops/dbops.toml").exists()
    write(user / "dbops" / "dbops.toml", "user")
    assert found() == ["user"]
    write(cwd / "dbops.toml", "here")
    assert found() == ["here"]
    write(tmp_path / "env.toml", "env")
    env["DBOPS_CONFIG"] = str(tmp_path / "env.toml")
    assert found() == ["env"]
    write(tmp_path / "named.toml", "named")
    assert found(str(tmp_path / "named.toml")) == ["named"]


def test_xdg_moves_the_user_s_configuration(tmp_path: Path) -> None:
    write(tmp_path / "xdg" / "dbops" / "dbops.toml", "xdg")
    assert list(find(None, {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}, tmp_path).targets) == ["xdg"]


def test_a_named_configuration_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBOPS_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        find()
