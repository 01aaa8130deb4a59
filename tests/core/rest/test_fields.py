from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from bcc.core.models import IdempotencyKey
from bcc.core.rest import fields
from tests.core.rest.api import ThingSerializer
from tests.core.rest.test_problems import read


def codes(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    assert not serializer.is_valid()
    return {name: [one.code for one in found] for name, found in serializer.errors.items()}


def code_of(field: serializers.Field[Any, Any, Any, Any], value: Any) -> str:
    with pytest.raises(serializers.ValidationError) as caught:
        field.run_validation(value)
    detail: Any = caught.value.detail
    return str(detail[0].code)


class TestAwareDateTimeField:
    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2026-03-01T06:00:00Z", datetime(2026, 3, 1, 6, tzinfo=UTC)),
            ("2026-03-01T14:00:00+08:00", datetime(2026, 3, 1, 6, tzinfo=UTC)),
            ("2026-03-01t06:00z", datetime(2026, 3, 1, 6, tzinfo=UTC)),
            ("2026-03-01T06:00:00.5Z", datetime(2026, 3, 1, 6, 0, 0, 500_000, tzinfo=UTC)),
            ("2026-03-01T06:00:00.123456789Z", datetime(2026, 3, 1, 6, 0, 0, 123_456, tzinfo=UTC)),
            ("2028-02-29T00:00:00+08:00", datetime(2028, 2, 28, 16, tzinfo=UTC)),
            ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
            ("2099-12-31T23:59:59Z", datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ],
    )
    def test_reads_an_instant_into_utc(self, text: str, instant: datetime) -> None:
        assert fields.AwareDateTimeField().run_validation(text) == instant

    @pytest.mark.parametrize("text", ["2026-03-01T06:00:00", "2026-03-01T06:00"])
    def test_refuses_a_naive_one(self, text: str) -> None:
        assert code_of(fields.AwareDateTimeField(), text) == "naive_datetime"

    @pytest.mark.parametrize(
        "value",
        [
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T23:59:60Z",
            "2026-03-01T06:00:00+24:00",
            "2026-03-01T06:00:00+08",
            "2026-03-01 06:00:00Z",
            "2026-03-01T06:00:00 08:00",
            "2026-03-01",
            "2026-W09-7T06:00:00Z",
            "20260301T060000Z",
            "٢٠٢٦-03-01T06:00:00Z",
            "2026-03-01T06:00:00Z\n",
            "now",
            "",
            1772344800,
            1.5,
            True,
            [],
            {},
        ],
    )
    def test_refuses_what_is_no_instant(self, value: Any) -> None:
        assert code_of(fields.AwareDateTimeField(), value) == "invalid"

    @pytest.mark.parametrize(
        "text",
        [
            "1999-12-31T23:59:59Z",
            "2000-01-01T00:00:00+08:00",
            "2100-01-01T00:00:00Z",
            "2099-12-31T23:00:00-08:00",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
        ],
    )
    def test_refuses_what_is_too_far_away(self, text: str) -> None:
        assert code_of(fields.AwareDateTimeField(), text) == "out_of_range"

    def test_writes_utc_with_z(self) -> None:
        assert fields.AwareDateTimeField().to_representation(datetime(2026, 3, 1, tzinfo=UTC)) == (
            "2026-03-01T00:00:00Z"
        )

    def test_never_writes_a_naive_one(self) -> None:
        with pytest.raises(ValueError, match="naive"):
            fields.AwareDateTimeField().to_representation(datetime(2026, 3, 1))  # noqa: DTZ001 - the point


class TestStrictDateField:
    def test_reads_a_date(self) -> None:
        assert fields.StrictDateField().run_validation("2028-02-29") == date(2028, 2, 29)

    @pytest.mark.parametrize(
        "value", ["2026-02-29", "2026-2-1", "20260201", "2026-02-01T00:00:00Z", 5, None, []]
    )
    def test_refuses_what_is_no_date(self, value: Any) -> None:
        assert code_of(fields.StrictDateField(), value) in ("invalid", "null")

    @pytest.mark.parametrize("text", ["1999-12-31", "2100-01-01", "9999-12-31", "0001-01-01"])
    def test_refuses_what_is_too_far_away(self, text: str) -> None:
        assert code_of(fields.StrictDateField(), text) == "out_of_range"


class TestIntegerField:
    @pytest.mark.parametrize(("value", "number"), [(3, 3), (-1, -1), (2.0, 2), (2**31 - 1, 2**31 - 1)])
    def test_reads_whole_numbers(self, value: Any, number: int) -> None:
        assert fields.IntegerField().run_validation(value) == number

    @pytest.mark.parametrize("value", ["3", True, False, 2.5, [], {}, "", "１"])
    def test_refuses_the_rest(self, value: Any) -> None:
        assert code_of(fields.IntegerField(), value) == "invalid"

    @pytest.mark.parametrize("value", [2**31, 2**63, 1.2345678901234568e29])
    def test_refuses_more_than_a_column_holds(self, value: Any) -> None:
        assert code_of(fields.IntegerField(), value) == "max_value"

    def test_takes_64_bits_where_told_to(self) -> None:
        field = fields.IntegerField(min_value=None, max_value=None)
        assert field.run_validation(2**63 - 1) == 2**63 - 1
        assert code_of(field, 2**63) == "max_value"
        assert code_of(field, -(2**63) - 1) == "min_value"


class TestBooleanField:
    @pytest.mark.parametrize("value", [True, False])
    def test_reads_the_two(self, value: bool) -> None:
        assert fields.BooleanField().run_validation(value) is value

    @pytest.mark.parametrize("value", ["true", "yes", 1, 0, "", [], {}])
    def test_refuses_the_rest(self, value: Any) -> None:
        assert code_of(fields.BooleanField(), value) == "invalid"

    def test_takes_null_where_allowed(self) -> None:
        assert fields.BooleanField(allow_null=True).run_validation(None) is None


class TestCharField:
    @pytest.mark.parametrize("value", [5, 1.5, True, [], {}])
    def test_takes_no_number_for_a_text(self, value: Any) -> None:
        assert code_of(fields.CharField(), value) == "invalid"

    @pytest.mark.parametrize("value", ["a\0b", "\0"])
    def test_refuses_a_nul(self, value: str) -> None:
        assert code_of(fields.CharField(), value) == "null_characters_not_allowed"


class TestUUIDField:
    def test_reads_an_id(self) -> None:
        assert fields.UUIDField().run_validation(str(UUID(int=5))) == UUID(int=5)

    @pytest.mark.parametrize("value", [5, 5.0, True, "", "x", "12", [], {}, "0" * 33])
    def test_refuses_what_is_no_id(self, value: Any) -> None:
        assert code_of(fields.UUIDField(), value) == "invalid"


class TestMoneyField:
    @pytest.mark.parametrize(("text", "amount"), [("10", "10.00"), ("10.5", "10.50"), ("-3.25", "-3.25")])
    def test_reads_decimal_strings(self, text: str, amount: str) -> None:
        assert fields.MoneyField().run_validation(text) == Decimal(amount)

    @pytest.mark.parametrize(
        "value", [10, 10.5, "1e3", "NaN", "Infinity", "1,000", "", " 1", "١", "9999999999999", None]
    )
    def test_refuses_the_rest(self, value: Any) -> None:
        assert code_of(fields.MoneyField(), value) in ("invalid", "null")

    @pytest.mark.parametrize("text", ["1.005", "999999999999.001"])
    def test_refuses_more_places_or_digits(self, text: str) -> None:
        assert code_of(fields.MoneyField(), text).startswith("max_")


class TestStrictSerializer:
    def test_tells_all_that_is_wrong_at_once(self) -> None:
        assert codes(ThingSerializer(data={"party": "3", "zz": 1, "currency": "EUR"})) == {
            "zz": ["unknown_field"],
            "currency": ["read_only"],
            "name": ["required"],
            "party": ["invalid"],
        }

    def test_refuses_an_unknown_field_alone(self) -> None:
        assert codes(ThingSerializer(data={"name": "x", "zz": 1})) == {"zz": ["unknown_field"]}

    def test_names_nested_fields_by_path(self, client: APIClient) -> None:
        body = {"name": "x", "guests": [{"name": "y"}, {"name": "z", "zz": 1}, 5]}
        problem = read(client.post("/api/v1/echo", body, format="json"), 400)
        assert set(problem["errors"]) == {"guests.1.zz", "guests.2"}

    def test_shows_the_currency_beside_the_amount(self, client: APIClient, settings: Any) -> None:
        settings.CLUB_CURRENCY = "PHP"
        shown = client.post("/api/v1/echo", {"name": "x", "fee": "10"}, format="json").json()
        assert (shown["fee"], shown["currency"]) == ("10.00", "PHP")

    def test_takes_nothing_for_an_object_but_an_object(self) -> None:
        assert codes(ThingSerializer(data=[])) == {"non_field_errors": ["invalid"]}


class TestStrictModelSerializer:
    def test_gives_the_models_columns_the_strict_fields(self) -> None:
        class KeySerializer(fields.StrictModelSerializer):
            class Meta:
                model = IdempotencyKey
                fields = ("route", "status", "created_at")

        serializer = KeySerializer(
            data={"route": 5, "status": "3", "created_at": "2026-03-01T00:00:00", "zz": 1}
        )
        assert codes(serializer) == {
            "zz": ["unknown_field"],
            "route": ["invalid"],
            "status": ["invalid"],
            "created_at": ["naive_datetime"],
        }


class TestValidatedQuery:
    def test_reads_text_as_each_field_means_it(self, client: APIClient) -> None:
        query = "status=3&since=2026-03-01T14:00:00%2B08:00&is_new=true&key=a,b&key=c"
        assert client.get(f"/api/v1/query?{query}").json() == {
            "status": 3,
            "since": "2026-03-01T06:00:00Z",
            "is_new": True,
            "key": ["a", "b", "c"],
        }

    @pytest.mark.parametrize(
        ("query", "name", "code"),
        [
            ("zz=1", "zz", "unknown_field"),
            ("zz=", "zz", "unknown_field"),
            ("status=1&status=2", "status", "repeated"),
            ("status=", "status", "invalid"),
            ("status=1.5", "status", "invalid"),
            ("status=99999999999", "status", "max_value"),
            ("status=" + "9" * 5000, "status", "invalid"),
            ("is_new=yes", "is_new", "invalid"),
            ("since=2026-03-01T06:00:00", "since", "naive_datetime"),
            ("since=2026-03-01T06:00:00+08:00", "since", "invalid"),
            ("route=", "route", "blank"),
            ("cursor=x", "cursor", "unknown_field"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(
        self, client: APIClient, query: str, name: str, code: str
    ) -> None:
        problem = read(client.get(f"/api/v1/query?{query}"), 400)
        assert {field: [one["code"] for one in found] for field, found in problem["errors"].items()} == {
            name: [code]
        }

    def test_takes_no_parameter_with_a_post(self, client: APIClient) -> None:
        problem = read(client.post("/api/v1/echo?status=1", {"name": "x"}, format="json"), 400)
        assert set(problem["errors"]) == {"status"}

    def test_tells_a_stranger_nothing_of_the_parameters(self, client: APIClient) -> None:
        read(client.get("/api/v1/signed?zz=1"), 401)


class TestNothingSerializer:
    def test_takes_only_an_empty_body(self) -> None:
        assert fields.NothingSerializer(data={}).is_valid()
        assert codes(fields.NothingSerializer(data={"a": 1})) == {"a": ["unknown_field"]}
