"""What the acquirer does with money: authorise, capture, void, refund, and what it remembers of them.

Each question comes with a key of the asker, which makes it happen once: asked again, it is
answered with the present state of the same payment; another question under a used key is
refused. An account's present is the latest time that its questions have told.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from payments.providers.sandbox.acquirer import instruments
from payments.providers.sandbox.acquirer.instruments import FAILED_AUTHENTICATION, NEEDS_THE_PAYER, Decline, Instrument
from payments.providers.sandbox.acquirer.store import Store

AUTHORISATION_LASTS = timedelta(days=7)
CHALLENGE_SECONDS = 15 * 60
REFUND_SETTLES_SECONDS = 3
STATEMENT_LINES_MAX = 1_000
VERSION_3DS = "2.2.0"
APPROVE, REFUSE, CANNOT = "approve", "refuse", "cannot"
# What a payer's choice is called in a 3-D Secure result.
TRANS_STATUS = {APPROVE: "Y", REFUSE: "N", CANNOT: "U"}

Tell = Callable[[str, str, Mapping[str, Any]], None]


class Refused(Exception):
    """The question is not answered: an HTTP status, a code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Bank:
    """The acquirer's books. `tell` is called, inside the transaction, with what changed without being asked."""

    def __init__(
        self,
        store: Store,
        *,
        secret: str,
        tell: Tell,
        wall: Callable[[], float] = time.time,
        refund_settles_seconds: float = REFUND_SETTLES_SECONDS,
    ) -> None:
        self._store = store
        self._secret = secret
        self._tell = tell
        self._wall = wall
        self._refund_settles_seconds = refund_settles_seconds

    # --- questions ---------------------------------------------------------------------

    def authorise(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Hold or take money. Answers the payment; asked again by the same key, as it is now."""
        account, key = question["account"], question["key"]
        asked = self._fingerprint(
            "authorise", question, "amount_minor currency card captures is_off_session payee return_url"
        )
        with self._store.transaction():
            self._hear(question)
            known = self._payment_by_key(account, key)
            if known:
                _same(known["fingerprint"], asked)
                return self._shown(known)
            reference = f"acq_{secrets.token_hex(12)}"
            card_mac = self._mac("card", account, str(question["card"]["number"]))
            number = str(question["card"]["number"])
            self._store.insert(
                "payment",
                reference=reference,
                account=account,
                key=key,
                fingerprint=asked,
                status="authorized",
                amount_minor=int(question["amount_minor"]),
                currency=question["currency"],
                captures=int(bool(question["captures"])),
                payee=question["payee"],
                return_url=question["return_url"],
                instrument=instruments.name(number),
                card_mac=card_mac,
                brand=instruments.find(number).brand,
                last4=number[-4:],
                challenge_base=question["challenge_url"],
            )
            self._decide(reference, instruments.find(number), question, card_mac)
            return self._shown(self._payment(reference))

    def capture(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Take what is held or a part of it. An authorisation that ran out is answered as voided."""
        account, amount = question["account"], int(question["amount_minor"])
        asked = self._fingerprint("capture", question, "reference amount_minor is_final")
        with self._store.transaction():
            self._hear(question)
            payment = self._payment_of(question)
            if self._was_asked(account, question["key"], asked):
                return self._shown(payment)
            if payment["status"] == "authorized":
                held = payment["authorized_minor"] - payment["captured_minor"]
                if not 0 < amount <= held:
                    raise Refused(400, "amount_too_large", f"{held} are held, {amount} were asked for.")
                self._note(account, question["key"], asked, payment["reference"])
                self._take(payment, amount, key=question["key"], is_final=bool(question["is_final"]))
            elif payment["status"] != "voided":
                raise Refused(400, "not_authorized", f"A payment that is {payment['status']} cannot be captured.")
            return self._shown(self._payment(payment["reference"]))

    def void(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Release what is held. What was taken stays taken; what was released or declined stays so."""
        asked = self._fingerprint("void", question, "reference")
        with self._store.transaction():
            self._hear(question)
            payment = self._payment_of(question)
            if not self._was_asked(question["account"], question["key"], asked):
                self._note(question["account"], question["key"], asked, payment["reference"])
                if payment["status"] in ("authorized", "challenge"):
                    self._release(payment)
            return self._shown(self._payment(payment["reference"]))

    def refund(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Give money back. Answers the refund; asked again by the same key, as it is now."""
        account, key, amount = question["account"], question["key"], int(question["amount_minor"])
        asked = self._fingerprint("refund", question, "reference amount_minor")
        with self._store.transaction():
            self._hear(question)
            known = self._refund_by_key(account, key)
            if known:
                _same(known["fingerprint"], asked)
                return self._refund_shown(known)
            payment = self._payment_of(question)
            left = payment["captured_minor"] - payment["refunded_minor"]
            if not 0 < amount <= left:
                raise Refused(400, "amount_too_large", f"{left} can be refunded, {amount} were asked for.")
            reference = f"acr_{secrets.token_hex(12)}"
            at_once, later = instruments.by_name(payment["instrument"]).refund
            self._store.insert(
                "refund",
                reference=reference,
                account=account,
                key=key,
                fingerprint=asked,
                payment=payment["reference"],
                status=at_once,
                amount_minor=amount,
            )
            self._change(payment, refunded_minor=payment["refunded_minor"] + amount)
            self._move(payment, reference=reference, key=key, kind="refund", amount_minor=-amount)
            if later:
                self._later(self._refund_settles_seconds, f"refund_{later}", reference)
            return self._refund_shown(self._refund(reference))

    def query(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What is known of a payment by the asker's key. Raises Refused 404."""
        with self._store.transaction():
            self._hear(question)
            payment = self._payment_by_key(question["account"], question["key"])
            if payment is None:
                raise Refused(404, "unknown_key", "No payment was asked for by this key.")
            return self._shown(payment)

    def query_refund(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What is known of a refund by the asker's key. Raises Refused 404."""
        refund = self._refund_by_key(question["account"], question["key"])
        if refund is None:
            raise Refused(404, "unknown_key", "No refund was asked for by this key.")
        return self._refund_shown(refund)

    def statement(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What moved for an account on a day (UTC, by the account's present), from the line after `after` on."""
        lines = self._store.all(
            "SELECT * FROM movement WHERE account = ? AND day = ? AND number > ? ORDER BY number LIMIT ?",
            [question["account"], question["day"], int(question["after"]), STATEMENT_LINES_MAX],
        )
        shown = [
            {name: line[name] for name in ("reference", "key", "kind", "amount_minor", "currency", "at")}
            for line in lines
        ]
        return {"lines": shown, "next": lines[-1]["number"] if len(lines) == STATEMENT_LINES_MAX else None}

    # --- the payer's challenge ---------------------------------------------------------

    def read_challenge(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What the issuer's page shows. Raises Refused 404 for an unknown token, 410 for one used or run out."""
        payment = self._challenged(question["token"])
        return {
            "payee": payment["payee"],
            "amount_minor": payment["amount_minor"],
            "currency": payment["currency"],
            "brand": payment["brand"],
            "last4": payment["last4"],
            "is_verification": payment["amount_minor"] == 0,
            "return_url": payment["return_url"],
        }

    def answer_challenge(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Take the payer's choice, once. Answers where to send the payer; what came of it is told in a notice."""
        choice = question["choice"]
        if choice not in TRANS_STATUS:
            raise Refused(400, "unknown_choice", "The payer approves, refuses or cannot.")
        with self._store.transaction():
            payment = self._challenged(question["token"])
            self._finish_challenge(payment, TRANS_STATUS[choice])
            return {"return_url": payment["return_url"]}

    # --- what happens later ------------------------------------------------------------

    def do_what_is_due(self, *, kind: str | None = None, hurries: bool = False) -> int:
        """Settle refunds and end challenges whose time has come (with `hurries`, all of them). Gives how many."""
        with self._store.transaction():
            due = self._store.all(
                "SELECT * FROM later WHERE (? OR due_at <= ?) AND (? IS NULL OR kind LIKE ? || '%') ORDER BY number",
                [hurries, self._wall(), kind, kind],
            )
            for row in due:
                self._store.one("DELETE FROM later WHERE number = ?", [row["number"]])
                if row["kind"] == "challenge_ends":
                    payment = self._payment(row["reference"])
                    if payment["status"] == "challenge":
                        self._finish_challenge(payment, "U")
                else:
                    self._settle_refund(row["reference"], row["kind"].removeprefix("refund_"))
            return len(due)

    def forget_what_is_due(self) -> None:
        """This will leave refunds and challenges as they are."""
        with self._store.transaction():
            self._store.one("DELETE FROM later")

    def next_due(self) -> float | None:
        """When something happens next, by the world's time."""
        return self._store.all("SELECT min(due_at) AS due_at FROM later")[0]["due_at"]

    def echo(self, account: str, key: str) -> None:
        """Tell in a notice what is known under a key, whether it was answered or not."""
        with self._store.transaction():
            refund, payment = self._refund_by_key(account, key), self._payment_by_key(account, key)
            operation = self._store.one("SELECT * FROM operation WHERE account = ? AND key = ?", [account, key])
            if refund:
                self._tell(account, "refund", self._refund_shown(refund))
            elif payment or operation:
                self._tell(account, "payment", self._shown(payment or self._payment(operation["reference"])))  # type: ignore[index]

    # --- decisions ---------------------------------------------------------------------

    def _decide(self, reference: str, instrument: Instrument, question: Mapping[str, Any], card_mac: str) -> None:
        payment, card, now = self._payment(reference), question["card"], _time(question["now"])
        is_verification = payment["amount_minor"] == 0
        is_remembered = instrument.remembers_verification and self._is_verified(payment["account"], card_mac)
        network = {
            "scheme": instrument.brand,
            "cvc_check": _cvc_check(instrument, question.get("cvc")),
            "avs": "unavailable",
            "risk_level": "normal",
            **instrument.network,
        }
        self._change(payment, network=json.dumps(network))
        payment = self._payment(reference)
        if (int(card["exp_year"]), int(card["exp_month"])) < (now.year, now.month):
            self._decline(payment, Decline("expired_card"))
        elif instrument.is_challenged and question["is_off_session"] and not is_remembered:
            self._decline(payment, NEEDS_THE_PAYER)
        elif instrument.is_challenged and not is_remembered:
            self._challenge(payment)
        else:
            status = "I" if is_remembered else instrument.trans_status
            if status:
                self._change(payment, authentication=json.dumps(_authentication(status)))
            if instrument.decline and not (is_verification and instrument.verifies):
                self._decline(payment, instrument.decline)
            else:
                self._approve(payment)

    def _challenge(self, payment: sqlite3.Row) -> None:
        token = self._token(payment["reference"])
        until = self._wall() + CHALLENGE_SECONDS
        self._change(
            payment,
            status="challenge",
            challenge_digest=_digest(token),
            challenge_until=until,
            authentication=json.dumps({"transStatus": "C", "version": VERSION_3DS}),
        )
        self._later(CHALLENGE_SECONDS, "challenge_ends", payment["reference"])

    def _finish_challenge(self, payment: sqlite3.Row, trans_status: str) -> None:
        instrument = instruments.by_name(payment["instrument"])
        self._change(payment, authentication=json.dumps(_authentication(trans_status)))
        if trans_status != "Y":
            self._decline(payment, FAILED_AUTHENTICATION)
        elif instrument.decline:
            self._decline(payment, instrument.decline)
        else:
            if payment["amount_minor"] == 0 and instrument.remembers_verification:
                self._store.one(
                    "INSERT OR IGNORE INTO verified (account, card_mac) VALUES (?, ?)",
                    [payment["account"], payment["card_mac"]],
                )
            self._approve(payment)
        self._tell(payment["account"], "payment", self._shown(self._payment(payment["reference"])))

    def _approve(self, payment: sqlite3.Row) -> None:
        network = {**json.loads(payment["network"]), "approval_code": f"{secrets.randbelow(1_000_000):06}"}
        self._change(
            payment,
            status="authorized",
            authorized_minor=payment["amount_minor"],
            expires_at=_text(self._present(payment["account"]) + AUTHORISATION_LASTS),
            network=json.dumps(network),
        )
        if payment["captures"] and payment["amount_minor"]:
            fresh = self._payment(payment["reference"])
            self._take(fresh, fresh["amount_minor"], key=fresh["key"], is_final=True)

    def _decline(self, payment: sqlite3.Row, decline: Decline) -> None:
        self._change(payment, status="declined", code=decline.code, decline_code=decline.decline_code)

    def _take(self, payment: sqlite3.Row, amount_minor: int, *, key: str, is_final: bool) -> None:
        captured = payment["captured_minor"] + amount_minor
        closes = is_final or captured == payment["authorized_minor"]
        self._change(
            payment,
            captured_minor=captured,
            status="captured" if closes else "authorized",
            expires_at=None if closes else payment["expires_at"],
        )
        self._move(payment, reference=payment["reference"], key=key, kind="capture", amount_minor=amount_minor)

    def _release(self, payment: sqlite3.Row) -> None:
        self._change(payment, status="captured" if payment["captured_minor"] else "voided", expires_at=None)

    def _settle_refund(self, reference: str, status: str) -> None:
        refund = self._refund(reference)
        failed = status == "failed"
        self._store.one(
            "UPDATE refund SET status = ?, failure_reason = ?, sequence = sequence + 1 WHERE reference = ?",
            [status, "expired_or_canceled_card" if failed else None, reference],
        )
        if failed:
            payment = self._payment(refund["payment"])
            self._change(payment, refunded_minor=payment["refunded_minor"] - refund["amount_minor"])
            self._move(
                payment,
                reference=reference,
                key=refund["key"],
                kind="refund_failed",
                amount_minor=refund["amount_minor"],
            )
        self._tell(refund["account"], "refund", self._refund_shown(self._refund(reference)))

    # --- memory ------------------------------------------------------------------------

    def _hear(self, question: Mapping[str, Any]) -> None:
        """Note what a question tells of its account: the present, and where notices go. Then let holds run out."""
        account, now, url = question["account"], question.get("now"), question.get("notify_url")
        known = self._store.one("SELECT * FROM account WHERE account = ?", [account])
        present = _text(_time(now)) if now else _text(datetime.fromtimestamp(self._wall(), UTC))
        if known is None:
            self._store.insert("account", account=account, present=present, notify_url=url or "")
        elif (now and present > known["present"]) or (url and url != known["notify_url"]):
            self._store.one(
                "UPDATE account SET present = ?, notify_url = ? WHERE account = ?",
                [max(present, known["present"]) if now else known["present"], url or known["notify_url"], account],
            )
        run_out = self._store.all(
            "SELECT * FROM payment WHERE account = ? AND status = 'authorized'"
            " AND expires_at <= (SELECT present FROM account WHERE account = ?)",
            [account, account],
        )
        for payment in run_out:
            self._release(payment)
            self._tell(account, "payment", self._shown(self._payment(payment["reference"])))

    def _present(self, account: str) -> datetime:
        return _time(self._store.all("SELECT present FROM account WHERE account = ?", [account])[0]["present"])

    def _payment(self, reference: str) -> sqlite3.Row:
        return self._store.all("SELECT * FROM payment WHERE reference = ?", [reference])[0]

    def _payment_by_key(self, account: str, key: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM payment WHERE account = ? AND key = ?", [account, key])

    def _payment_of(self, question: Mapping[str, Any]) -> sqlite3.Row:
        payment = self._store.one(
            "SELECT * FROM payment WHERE account = ? AND reference = ?", [question["account"], question["reference"]]
        )
        if payment is None:
            raise Refused(404, "unknown_reference", "No payment has this reference.")
        return payment

    def _refund(self, reference: str) -> sqlite3.Row:
        return self._store.all("SELECT * FROM refund WHERE reference = ?", [reference])[0]

    def _refund_by_key(self, account: str, key: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM refund WHERE account = ? AND key = ?", [account, key])

    def _challenged(self, token: str) -> sqlite3.Row:
        payment = self._store.one("SELECT * FROM payment WHERE challenge_digest = ?", [_digest(token)])
        if payment is None:
            raise Refused(404, "unknown_challenge", "No challenge has this token.")
        if payment["status"] != "challenge" or payment["challenge_until"] <= self._wall():
            raise Refused(410, "challenge_over", "This challenge was answered, or its time is over.")
        return payment

    def _is_verified(self, account: str, card_mac: str) -> bool:
        found = self._store.one("SELECT 1 FROM verified WHERE account = ? AND card_mac = ?", [account, card_mac])
        return found is not None

    def _was_asked(self, account: str, key: str, asked: str) -> bool:
        known = self._store.one("SELECT * FROM operation WHERE account = ? AND key = ?", [account, key])
        if known:
            _same(known["fingerprint"], asked)
        return known is not None

    def _note(self, account: str, key: str, asked: str, reference: str) -> None:
        self._store.insert("operation", account=account, key=key, fingerprint=asked, reference=reference)

    def _change(self, payment: sqlite3.Row, **values: Any) -> None:
        sets = ", ".join(f"{name} = ?" for name in values)
        self._store.one(
            f"UPDATE payment SET {sets}, sequence = sequence + 1 WHERE reference = ?",
            [*values.values(), payment["reference"]],
        )

    def _move(self, payment: sqlite3.Row, **values: Any) -> None:
        at = _text(self._present(payment["account"]))
        self._store.insert(
            "movement", account=payment["account"], currency=payment["currency"], at=at, day=at[:10], **values
        )

    def _later(self, seconds: float, kind: str, reference: str) -> None:
        self._store.insert("later", due_at=self._wall() + seconds, kind=kind, reference=reference)

    # --- words -------------------------------------------------------------------------

    def _shown(self, payment: sqlite3.Row) -> dict[str, Any]:
        names = (
            "key account reference status sequence amount_minor currency authorized_minor captured_minor"
            " refunded_minor code decline_code expires_at"
        )
        is_challenged = payment["status"] == "challenge"
        return {
            **{name: payment[name] for name in names.split()},
            "challenge_url": payment["challenge_base"] + self._token(payment["reference"]) if is_challenged else None,
            "authentication": json.loads(payment["authentication"]),
            "network": json.loads(payment["network"]),
        }

    def _refund_shown(self, refund: sqlite3.Row) -> dict[str, Any]:
        payment = self._payment(refund["payment"])
        names = "key account reference status sequence amount_minor failure_reason"
        return {
            **{name: refund[name] for name in names.split()},
            "payment_key": payment["key"],
            "currency": payment["currency"],
        }

    def _fingerprint(self, operation: str, question: Mapping[str, Any], names: str) -> str:
        """Which question a key stands for, in a form that gives no card number away. The CVC is no part of it."""
        asked = json.dumps([operation, *(question[name] for name in names.split())], sort_keys=True)
        return self._mac("question", asked)

    def _token(self, reference: str) -> str:
        """The secret in a challenge's address: it follows from the payment and is never stored."""
        mac = hmac.digest(self._secret.encode(), f"challenge:{reference}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def _mac(self, *words: str) -> str:
        return hmac.digest(self._secret.encode(), ":".join(words).encode(), "sha256").hex()


def _same(known: str, asked: str) -> None:
    if not hmac.compare_digest(known, asked):
        raise Refused(409, "key_reused", "Another question was asked by this key before.")


def _authentication(trans_status: str) -> dict[str, Any]:
    """The result of 3-D Secure (EMVCo): who answers for fraud follows from it. Y and A shift it to the issuer."""
    shifts = trans_status in ("Y", "A")
    return {
        "transStatus": trans_status,
        "eci": {"Y": "05", "A": "06"}.get(trans_status, "07"),
        "cavv": base64.b64encode(secrets.token_bytes(20)).decode() if shifts else None,
        "dsTransID": str(uuid.uuid4()),
        "liability_shift": shifts,
        "version": VERSION_3DS,
    }


def _cvc_check(instrument: Instrument, cvc: str | None) -> str:
    if cvc is None:
        return "unavailable"
    return "fail" if instrument.decline and instrument.decline.code == "incorrect_cvc" else "pass"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(at: datetime) -> str:
    """One form of a time, so that texts compare as their times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
