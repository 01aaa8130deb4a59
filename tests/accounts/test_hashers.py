from __future__ import annotations

from accounts.policies.hashers import ClubArgon2PasswordHasher


class TestClubArgon2PasswordHasher:
    def test_is_argon2id_at_nineteen_mebibytes_two_passes_one_lane(self) -> None:
        hasher = ClubArgon2PasswordHasher()
        encoded = hasher.encode("a phrase", hasher.salt())
        assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert hasher.verify("a phrase", encoded)
        assert not hasher.verify("another phrase", encoded)
        assert not hasher.must_update(encoded)
