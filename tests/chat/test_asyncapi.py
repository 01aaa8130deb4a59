"""docs/asyncapi.yaml says exactly what the code can send and take: no message more, no field less."""

from __future__ import annotations

import ast
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
from jsonschema import Draft202012Validator

from accounts.services import identities, tokens
from bcc.core.errors import BusyError, DomainError
from chat.consumers.club import Close
from chat.serializers import asked, frames
from chat.services import admission, errors
from reservations.policies.states import State
from tests.bcc.conftest import PACKAGES, ROOT
from tests.chat.conftest import TO_CLIENT, TO_SERVER, check_described, described, messages_of

# What a socket may be told besides: before it is signed in, and by the services behind its frames.
REFUSALS: tuple[type[DomainError], ...] = (
    BusyError,
    admission.SuspendedError,
    identities.SessionEndedError,
    tokens.TokenInvalidError,
    tokens.TokenTooOldError,
    admission.TicketInvalidError,
    errors.ChatHoldError,
    errors.ClientIdReusedError,
    errors.EmptyMessageError,
    errors.HeldWordError,
    errors.LinksRefusedError,
    errors.MessageTooLongError,
    errors.NoSuchAttachmentError,
    errors.NoSuchConversationError,
    errors.NoSuchMessageError,
    errors.NotReachableError,
    errors.NotYourMessageError,
    errors.ReadOnlyConversationError,
    errors.TooLateToChangeError,
    errors.UnprintableError,
)


def frames_of(union: Any) -> dict[str, Any]:
    """The TypedDicts of ``union`` by their type."""
    return {get_args(get_type_hints(one)["type"])[0]: one for one in get_args(union)}


DOORS = {"to_user", "to_each"}


class Pushes(ast.NodeVisitor):
    """The literal messages that a module hands to ``push``: type → names of the fields."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}
        self.calls = self.mentions = 0
        self._function: ast.AST | None = None
        self._makers: dict[str, ast.expr] = {}

    def visit_Module(self, node: ast.Module) -> None:
        """First the functions that only return something: a message may be made by one."""
        for one in node.body:
            if (
                isinstance(one, ast.FunctionDef)
                and isinstance(last := one.body[-1], ast.Return)
                and last.value
            ):
                self._makers[one.name] = last.value
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self._function = self._function, node
        self.generic_visit(node)
        self._function = outer

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.mentions += node.attr in DOORS
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        self.mentions += node.name in DOORS

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in DOORS:
            self.calls += 1
            message = self._literal(self._message(node))
            names = [ast.literal_eval(key) for key in message.keys if key is not None]
            kind = ast.literal_eval(message.values[names.index("type")])
            self.found[kind] = set(names)
        self.generic_visit(node)

    def _message(self, call: ast.Call) -> ast.expr:
        """The second of two: of the call itself, or of each pair that ``to_each`` is given."""
        if len(call.args) > 1:
            return call.args[1]
        pairs = call.args[0]
        assert isinstance(pairs, ast.GeneratorExp), f"No pairs to read: {ast.unparse(pairs)}."
        assert isinstance(pairs.elt, ast.Tuple), f"No pair to read: {ast.unparse(pairs.elt)}."
        return pairs.elt.elts[1]

    def _literal(self, node: ast.expr) -> ast.Dict:
        """The dict itself, one that the name was given in the same function, or what a function returns."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            node = self._makers.get(node.func.id, node)
        if isinstance(node, ast.Name) and self._function is not None:
            name = node.id
            for other in ast.walk(self._function):
                if isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == name:
                    node = other.value
        assert isinstance(node, ast.Dict), f"No literal message to read: {ast.unparse(node)}."
        return node


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


@pytest.fixture(scope="module")
def pushed() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in modules():
        visitor = Pushes()
        visitor.visit(ast.parse(path.read_text()))
        assert visitor.calls == visitor.mentions, f"{path} uses push in a way that this test cannot read."
        found |= visitor.found
    return found


class TestMessages:
    def test_to_the_server_are_those_that_it_reads(self) -> None:
        assert set(messages_of(TO_SERVER)) == set(asked.READERS) == set(frames_of(frames.ClientFrame))

    def test_to_the_client_are_those_of_the_chat_and_those_that_are_pushed(
        self, pushed: dict[str, set[str]]
    ) -> None:
        assert set(messages_of(TO_CLIENT)) == set(frames_of(frames.ServerFrame)) | set(pushed)

    def test_have_the_fields_of_their_typed_dicts(self) -> None:
        # A type may be said in both directions, and mean two things.
        pairs = [
            (kind, typed, messages_of(action)[kind])
            for action, union in ((TO_SERVER, frames.ClientFrame), (TO_CLIENT, frames.ServerFrame))
            for kind, typed in frames_of(union).items()
        ]
        for kind, typed, schema in pairs:
            assert is_typeddict(typed)
            assert set(schema["properties"]) == set(get_type_hints(typed)), kind
            # The annotations are texts, in which NotRequired is only seen when they are read.
            hints = get_type_hints(typed, include_extras=True)
            optional = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
            assert set(schema["required"]) == set(hints) - optional, kind
            assert schema["additionalProperties"] is False

    def test_that_are_pushed_have_the_fields_that_the_code_gives_them(
        self, pushed: dict[str, set[str]]
    ) -> None:
        schemas = messages_of(TO_CLIENT)
        for kind, fields in pushed.items():
            assert set(schemas[kind]["properties"]) == set(schemas[kind]["required"]) == fields, kind

    def test_name_every_reason_code_and_state(self) -> None:
        schemas = described()["components"]["schemas"]
        assert schemas["Bye"]["properties"]["reason"]["enum"] == list(get_args(frames.ByeReason))
        refusals: list[type[DomainError]] = [*REFUSALS, *asked.FrameError.__subclasses__()]
        codes = {one.code for one in refusals}
        assert schemas["Error"]["properties"]["code"]["enum"] == sorted(codes)
        assert set(schemas["ReservationChanged"]["properties"]["state"]["enum"]) == {
            str(one) for one in State
        }

    def test_are_all_used_and_every_example_agrees(self) -> None:
        document = described()
        channel = document["channels"]["socket"]["messages"]
        used = set()
        for operation in document["operations"].values():
            for reference in operation["messages"]:
                name = reference["$ref"].removeprefix("#/channels/socket/messages/")
                assert channel[name]["$ref"] == f"#/components/messages/{name}"
                used.add(name)
                for example in document["components"]["messages"][name]["examples"]:
                    check_described(example["payload"], operation["action"])
        assert used == set(channel) == set(document["components"]["messages"])

    def test_have_schemas_that_are_schemas(self) -> None:
        for schema in described()["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)


class TestSocket:
    def test_says_every_close_code_that_the_server_uses(self) -> None:
        description: str = described()["channels"]["socket"]["description"]
        rows = [line for line in description.splitlines() if line.startswith(("| 1", "| 4"))]
        said = {int(row.split("|")[1]) for row in rows}
        # 1009 is the server's own, for what it does not even read.
        assert said == {int(code) for code in Close} | {1009}

    def test_is_a_document_of_the_version_that_it_says(self) -> None:
        document = described()
        assert document["asyncapi"] == "3.0.0"
        assert set(document) == {
            "asyncapi",
            "info",
            "defaultContentType",
            "servers",
            "channels",
            "operations",
            "components",
        }
        assert document["channels"]["socket"]["address"] == "/ws/v1"


class TestPushes:
    @pytest.mark.parametrize(
        "text",
        [
            'def f(u):\n    push.to_user(u, {"type": "x", "a": 1})',
            'def f(u):\n    m = {"type": "x", "a": 1}\n    push.to_user(u, m)',
            'def m():\n    return {"type": "x", "a": 1}\ndef f(u):\n    push.to_user(u, m())',
            'def m():\n    return {"type": "x", "a": 1}\ndef f(u):\n    push.to_each((o, m()) for o in u)',
        ],
        ids=["in place", "by name", "by a function", "of each"],
    )
    def test_are_found_in_every_form(self, text: str) -> None:
        visitor = Pushes()
        visitor.visit(ast.parse(text))
        assert visitor.found == {"x": {"type", "a"}}

    def test_that_cannot_be_read_fail(self) -> None:
        with pytest.raises(AssertionError):
            Pushes().visit(ast.parse("push.to_user(u, make())"))
