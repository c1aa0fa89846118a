"""Every code that an error can carry, and what its page says: an answer's `doc_url` opens /docs/errors/<code>.

A test finds every code in the source and asks for its entry here; another provokes what
can be provoked and compares. Words between backticks are shown as code. `message` is
the API's own sentence, which is English in every language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel.errors import doc_url

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text

INVALID_REQUEST, CARD, API, IDEMPOTENCY = "invalid_request_error", "card_error", "api_error", "idempotency_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """What is said of one code. `guide` names the section of the guide that tells more."""

    code: str
    statuses: tuple[int, ...]
    title: "Text"
    meaning: "Text"
    cause: "Text"
    mend: "Text"
    message: str
    type: str = INVALID_REQUEST
    param: str | None = None
    guide: str = ""
    # Of a card_error: whether it is the code itself, or the reason under `card_declined`.
    is_own_code: bool = False
    # Of a card_error: whether a payment was tried, and stands in the answer.
    has_payment: bool = True

    @property
    def is_decline(self) -> bool:
        """Whether a payment was refused, not a request."""
        return self.type == CARD

    def example(self) -> dict[str, Any]:
        """An answer that carries the code, cut short where an object stands inside."""
        error: dict[str, Any] = {"type": self.type, "code": self.code, "message": self.message}
        if self.is_decline and not self.is_own_code:
            error["code"] = "card_declined"
            error["decline_code"] = self.code if self.code != "card_declined" else "insufficient_funds"
        if self.code == "authentication_required":
            error["decline_code"] = self.code
        if self.is_decline and self.has_payment:
            error["charge"] = "ch_0351h7qSmjBXB55YCiNTdM"
        if self.param:
            error["param"] = self.param
        error["doc_url"] = doc_url(error.get("decline_code", self.code))
        if self.is_decline and self.has_payment:
            error["payment_intent"] = _INTENT
        return {"error": error}


_INTENT = {
    "id": "pi_0351h7qSmjBXB4p1WenQ4D",
    "object": "payment_intent",
    "status": "requires_payment_method",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Codes that have the same ground."""

    name: str
    title: "Text"
    codes: Sequence[ErrorCode]


KEYS = Group(
    "keys",
    _("Keys and permissions"),
    (
        ErrorCode(
            code="api_key_missing",
            statuses=(401,),
            title=_("The request carries no key"),
            meaning=_("Every request says by its key which merchant asks, and in which mode. This one said nothing."),
            cause=_("The `Authorization` header is missing, often because a proxy or a redirect dropped it."),
            mend=_("Send the key as a Bearer token, or as the user name of HTTP Basic with an empty password."),
            message="You did not provide an API key. Use HTTP Basic or Bearer authentication with your secret key.",
            guide="keys",
        ),
        ErrorCode(
            code="api_key_invalid",
            statuses=(401,),
            title=_("The key is not known here"),
            meaning=_("The key in the `Authorization` header opens no book of this platform."),
            cause=_(
                "It was cut off while copying, was revoked, was replaced and its overlap is over, or belongs to "
                "another platform."
            ),
            mend=_(
                "Copy the whole key again, make sure that the program reads the variable you set, and check that the "
                "address is that of the platform which made the key."
            ),
            message="Invalid API key provided: sk_test_***q8Zk",
            guide="keys",
        ),
        ErrorCode(
            code="permission_denied",
            statuses=(403,),
            title=_("The key may not do this"),
            meaning=_("The key is valid, and what was asked is not among the things it may do."),
            cause=_(
                "A restricted key lacks the permission that the message names, a publishable key asked for what only "
                "a server may do, or the request carries `Stripe-Account`, for which there are no accounts here."
            ),
            mend=_("Use a key that has the permission, or the secret key. Leave `Stripe-Account` out."),
            message="The provided key does not have the permission 'refunds:write'.",
            guide="keys",
        ),
        ErrorCode(
            code="secret_key_required",
            statuses=(403,),
            title=_("This needs a secret key"),
            meaning=_("A wallet payment is confirmed by the merchant’s server, not by a browser."),
            cause=_("The request to confirm came with a publishable key, which anybody can read in a page."),
            mend=_("Let your server confirm the payment intent, with the secret key or a restricted one."),
            message="A wallet payment is confirmed with a secret key.",
            guide="keys",
        ),
        ErrorCode(
            code="testmode_only",
            statuses=(403,),
            title=_("This exists in test mode only"),
            meaning=_("Wallets can be made and looked into with a test key alone."),
            cause=_("The request came with a live key. A live merchant never sees what a wallet holds."),
            mend=_("Use a test key for tests. In live mode, create the payment: its outcome says whether it was paid."),
            message="Wallets can be made and seen with a test key only.",
            guide="test-wallets",
        ),
        ErrorCode(
            code="vault_off",
            statuses=(403,),
            title=_("Live card numbers are not taken here"),
            meaning=_("This platform does not keep card numbers of live books, and so nothing of the card was kept."),
            cause=_("A card number came with a live key, and whoever runs the platform left its live vault off."),
            mend=_(
                "Let a provider’s own page take the card, or ask whoever runs the platform: keeping card numbers "
                "(`VAULT_IN_LIVE`) puts all of it under PCI DSS, questionnaire D."
            ),
            message="This platform does not take live cards itself.",
            guide="keys",
        ),
        ErrorCode(
            code="wallet_consent_required",
            statuses=(400,),
            title=_("The wallet’s owner has to consent"),
            meaning=_("In live mode a wallet becomes a payment method by its owner’s own act."),
            cause=_("A live key tried to make a payment method of a wallet, which only tests may do."),
            mend=_("Use a test key for tests. In live mode, charge the payment methods that were saved with consent."),
            message="In live mode a wallet is saved by its consumer, on a page of ours, not by the merchant.",
            param="wallet",
            guide="test-wallets",
        ),
        ErrorCode(
            code="ip_address_not_allowed",
            statuses=(403,),
            title=_("The key may not be used from here"),
            meaning=_("The key is valid, and has a list of networks that the request does not come from."),
            cause=_("The server moved, goes out through another address than before, or somebody else has the key."),
            mend=_(
                "Add the server's outgoing address to the key's networks. If nobody of yours sent the request, replace "
                "the key at once."
            ),
            message="This key may not be used from where the request comes from.",
            guide="keys",
        ),
        ErrorCode(
            code="https_required",
            statuses=(403,),
            title=_("The API is spoken over HTTPS alone"),
            meaning=_("The request came over plain HTTP, where everybody on the way can read the key in it."),
            cause=_("The base address of the client begins with `http://`."),
            mend=_("Begin the base address with `https://`, and replace the key: it was sent in the open."),
            message="The API is spoken over HTTPS alone. Replace the key that this request carried.",
            guide="keys",
        ),
        ErrorCode(
            code="client_certificate_required",
            statuses=(401,),
            title=_("The key needs a client certificate"),
            meaning=_("The key is bound to client certificates, and the connection showed none."),
            cause=_("The client was not told its certificate, or the request went past the proxy that asks for it."),
            mend=_("Give the client its certificate and private key, and call the public address."),
            message="This key is used with a client certificate: show one in the TLS handshake.",
            guide="encryption",
        ),
        ErrorCode(
            code="client_certificate_not_allowed",
            statuses=(403,),
            title=_("The client certificate is not the key’s"),
            meaning=_("The key is bound to client certificates, and another one was shown."),
            cause=_("The certificate was renewed, or belongs to another system of yours."),
            mend=_("Bind the SHA-256 of the new certificate to the key before the old one ends."),
            message="The client certificate is none of those that this key is bound to.",
            guide="encryption",
        ),
        ErrorCode(
            code="signature_required",
            statuses=(401,),
            title=_("The key takes signed requests alone"),
            meaning=_("Requests with this key carry a signature, and this one has none."),
            cause=_("The client sends the key as before, without `Signature` and `Signature-Input`."),
            mend=_("Sign each request with the private key whose public half is registered with the key."),
            message="This key takes signed requests alone: send Signature and Signature-Input (RFC 9421).",
            guide="encryption",
        ),
        ErrorCode(
            code="signature_invalid",
            statuses=(401,),
            title=_("The signature does not hold"),
            meaning=_("The signature is not over this request, not by the registered key, or too old."),
            cause=_(
                "The body changed after it was signed, a header that must be covered is not, another address was "
                "signed than the public one, or a clock is wrong by more than five minutes."
            ),
            mend=_("Sign last, over what is sent. The message says what does not fit."),
            message="The signature does not hold: it is not over this request",
            guide="encryption",
        ),
        ErrorCode(
            code="signature_replayed",
            statuses=(401,),
            title=_("This signed request came before"),
            meaning=_("A nonce is good for one request, so that a copy of it does nothing."),
            cause=_("The client sent the same signature twice, most often by repeating a request as it was."),
            mend=_("Sign a repetition anew, with a new nonce. Its idempotency key stays the same."),
            message="This signed request came before. Sign each one anew, with a nonce of its own.",
            guide="encryption",
        ),
        ErrorCode(
            code="api_key_revoked",
            statuses=(400,),
            title=_("The key was replaced or revoked before"),
            meaning=_("There is nothing left to replace or to revoke: the key has an end already."),
            cause=_("Somebody else did the same thing a moment earlier."),
            mend=_("Work with the key that replaced it, or have a new one made."),
            message="This key was rotated or revoked before.",
            guide="keys",
        ),
        ErrorCode(
            code="api_key_limit",
            statuses=(400,),
            title=_("There are as many keys as there may be"),
            meaning=_("A merchant has a limited number of keys in each mode, so that a person can overlook them."),
            cause=_("Keys were made and none was revoked."),
            mend=_("Revoke a key that no program uses any more: the list of keys says when each was used last."),
            message="A merchant has up to 100 keys a mode: revoke one first.",
            guide="keys",
        ),
    ),
)

REQUESTS = Group(
    "requests",
    _("Requests"),
    (
        ErrorCode(
            code="url_unknown",
            statuses=(404,),
            title=_("No such address"),
            meaning=_("The API has nothing at this path."),
            cause=_("A typing mistake, a slash at the end, a missing `/v1`, or a resource that is not offered here."),
            mend=_("Compare the path with `/v1/schema`, which lists every address there is."),
            message="Unrecognized request URL (GET: /v1/payment_intent).",
            guide="requests",
        ),
        ErrorCode(
            code="method_not_allowed",
            statuses=(405,),
            title=_("The address has no such method"),
            meaning=_("The path exists and does not answer to this HTTP method."),
            cause=_("An update was sent with `PUT` or `PATCH`, or a list was asked for with `POST`."),
            mend=_("Create and update with `POST`, read with `GET`, delete with `DELETE`."),
            message='Method "PUT" not allowed.',
            guide="requests",
        ),
        ErrorCode(
            code="not_acceptable",
            statuses=(406,),
            title=_("The API answers in JSON alone"),
            meaning=_("The request accepts no form of answer that the API has."),
            cause=_("The `Accept` header names something other than `application/json`."),
            mend=_("Leave the `Accept` header out, or send `application/json` or `*/*`."),
            message="The API answers in application/json.",
            guide="requests",
        ),
        ErrorCode(
            code="request_malformed",
            statuses=(400,),
            title=_("The request cannot be read"),
            meaning=_("The request is not what it says it is, so nothing in it was looked at."),
            cause=_(
                "Broken JSON, a parameter given twice, brackets that do not match, text that is not UTF-8, or nesting "
                "deeper than the API reads. The message says which."
            ),
            mend=_("Let a library write the body, and make sure that `Content-Type` says what the body is."),
            message="The body is not valid JSON: unexpected end of data: line 1 column 2 (char 1)",
            guide="requests",
        ),
        ErrorCode(
            code="jwe_invalid",
            statuses=(400,),
            title=_("An encrypted part cannot be opened"),
            meaning=_("A `jwe` in the body is not for us, not from this key, or was changed on its way."),
            cause=_("It was encrypted to an old key of ours, with another algorithm, or under another API key."),
            mend=_("Fetch `/v1/encryption_key` and encrypt anew, with `apu` naming the API key that sends it."),
            message="An encrypted part cannot be opened. Encrypt it to the key at /v1/encryption_key, "
            "with ECDH-ES+A256KW and A256GCM.",
            guide="encryption",
        ),
        ErrorCode(
            code="request_too_large",
            statuses=(413,),
            title=_("The request is too large"),
            meaning=_("The body is longer than the API reads."),
            cause=_("Most often a file or a picture in a text field, or a list that grows with every call."),
            mend=_("Send less: keep long texts in a system of your own, and an id of them in `metadata`."),
            message="The request body is larger than 1048576 bytes.",
            guide="requests",
        ),
        ErrorCode(
            code="unsupported_media_type",
            statuses=(415,),
            title=_("The body is neither a form nor JSON"),
            meaning=_("The API reads form-encoded parameters and JSON, and the body is said to be something else."),
            cause=_("The `Content-Type` header is missing from a JSON body, or names another format."),
            mend=_("Send `application/x-www-form-urlencoded` or `application/json`."),
            message=(
                "Content type 'text/plain' is not supported: send application/x-www-form-urlencoded or "
                "application/json."
            ),
            guide="requests",
        ),
        ErrorCode(
            code="rate_limit",
            statuses=(429,),
            title=_("Too many requests"),
            meaning=_("The key asked more often in a second than this platform allows."),
            cause=_("A loop without a pause, or several programs that share a key."),
            mend=_(
                "Wait as many seconds as `Retry-After` says, then send the same request again with the same "
                "idempotency key. Stripe’s SDKs do so by themselves."
            ),
            message="Too many requests with this key: slow down, then try again.",
            guide="errors",
        ),
    ),
)

PARAMETERS = Group(
    "parameters",
    _("Parameters"),
    (
        ErrorCode(
            code="parameter_missing",
            statuses=(400,),
            title=_("A required parameter is missing"),
            meaning=_("The request cannot be done without the parameter that `param` names."),
            cause=_("It was left out, or its value was empty in your program and never sent."),
            mend=_("Send the parameter. To confirm a payment, a payment method has to be known by then."),
            message="Missing required param: currency.",
            param="currency",
            guide="requests",
        ),
        ErrorCode(
            code="parameter_unknown",
            statuses=(400,),
            title=_("The parameter is not known"),
            meaning=_("The API refuses what it does not know, so that nothing you meant is silently lost."),
            cause=_("A typing mistake, or a parameter of Stripe’s that this platform does not offer."),
            mend=_("Compare the name with `/v1/schema`. Leave out what is not offered."),
            message="Received unknown parameter: amout",
            param="amout",
            guide="requests",
        ),
        ErrorCode(
            code="parameter_invalid",
            statuses=(400,),
            title=_("The parameter’s value is wrong"),
            meaning=_("The parameter that `param` names has a value that cannot be used."),
            cause=_("It is too long, is not one of the allowed words, has another shape, or does not fit the object."),
            mend=_("Read the message: it says what is expected. `/v1/schema` lists the allowed values."),
            message="Invalid currency: rmb. Use a three-letter ISO 4217 code.",
            param="currency",
            guide="requests",
        ),
        ErrorCode(
            code="parameter_invalid_empty",
            statuses=(400,),
            title=_("The parameter is empty"),
            meaning=_("An empty value means that a field is to be cleared, and this one cannot be."),
            cause=_("A variable was empty where your program expected a text."),
            mend=_("Send a value, or leave the parameter out."),
            message="You passed an empty string. We assume empty values are an attempt to unset.",
            param="name",
            guide="requests",
        ),
        ErrorCode(
            code="parameter_invalid_integer",
            statuses=(400,),
            title=_("The value is no whole number, or out of range"),
            meaning=_("The parameter takes a whole number within bounds."),
            cause=_("An amount with a decimal point, a number with a unit, or one that is below or above its bounds."),
            mend=_("Send whole numbers alone. Amounts count the smallest unit: ¥186.00 is `18600`."),
            message="Invalid integer: 186.00",
            param="amount",
            guide="requests",
        ),
        ErrorCode(
            code="parameter_invalid_boolean",
            statuses=(400,),
            title=_("The value is neither true nor false"),
            meaning=_("The parameter takes `true` or `false`."),
            cause=_("The value was `1`, `yes` or `True`."),
            mend=_("Send `true` or `false`, in small letters."),
            message="Invalid boolean: yes",
            param="confirm",
            guide="requests",
        ),
        ErrorCode(
            code="parameters_exclusive",
            statuses=(400,),
            title=_("Parameters exclude each other"),
            meaning=_("The request names two parameters of which only one can be meant, or none where one is needed."),
            cause=_("For instance `starting_after` with `ending_before`, or a refund with both charge and intent."),
            mend=_("Keep one of the parameters that the message names."),
            message="You must provide exactly one of these parameters: charge, payment_intent.",
            guide="requests",
        ),
        ErrorCode(
            code="amount_too_large",
            statuses=(400,),
            title=_("The amount is too large"),
            meaning=_("One payment, or the total of one order, is over the largest amount there is."),
            cause=_("Most often an amount that was multiplied by a hundred twice."),
            mend=_("Check the smallest unit of the currency. Split what is truly larger into several orders."),
            message="Amount must be no more than 99999999 minor units.",
            param="amount",
            guide="requests",
        ),
        ErrorCode(
            code="email_invalid",
            statuses=(400,),
            title=_("The email address cannot be right"),
            meaning=_("The value has not the form of an email address."),
            cause=_("A space, a missing `@`, or a host without a dot."),
            mend=_("Ask the person again, or leave the address out."),
            message="Invalid email address: lin.mei",
            param="email",
            guide="requests",
        ),
        ErrorCode(
            code="phone_invalid",
            statuses=(400,),
            title=_("The telephone number cannot be right"),
            meaning=_("No telephone number has this length or these characters."),
            cause=_("Digits are missing, or a number of another country stands without its `+` and code."),
            mend=_("Send it with the code of its country, such as `+86 138 0013 8000`, or leave it out."),
            message="This is no telephone number.",
            param="phone",
            guide="requests",
        ),
        ErrorCode(
            code="member_exists",
            statuses=(400,),
            title=_("Somebody with this contact is a member"),
            meaning=_("The telephone number or e-mail address belongs to a member of yours already."),
            cause=_("The person joined before, perhaps by a code in the store or while paying."),
            mend=_("Use the member that the message names, or find it with `phone` or `email` in the list of members."),
            message="A member with this phone exists: 'mem_032asvo69lE1otP8ioc8R5'.",
            param="phone",
            guide="requests",
        ),
        ErrorCode(
            code="consent_missing",
            statuses=(400,),
            title=_("The person has not allowed this"),
            meaning=_("What you sent is kept for a purpose that the customer has not said yes to."),
            cause=_("A birthday was sent without the consent `personalisation`."),
            mend=_(
                "Ask the person, then name the purpose in `consents` with the same request; or leave the field out."
            ),
            message="A birthday is kept with the customer's consent to 'personalisation' alone.",
            param="birthday",
            guide="requests",
        ),
        ErrorCode(
            code="metadata_key_invalid",
            statuses=(400,),
            title=_("A metadata key is not allowed"),
            meaning=_("A key in `metadata` is empty, too long, or has square brackets."),
            cause=_("A whole sentence or a path was used as a key."),
            mend=_("Use short names as keys, and put what is long into the value."),
            message="Metadata keys have 1 to 40 characters and no square brackets.",
            param="metadata",
            guide="requests",
        ),
        ErrorCode(
            code="metadata_too_long",
            statuses=(400,),
            title=_("There is too much metadata"),
            meaning=_("`metadata` has too many keys, or a value that is too long."),
            cause=_("Keys add up over several updates, because an update keeps what it does not name."),
            mend=_("Delete a key by sending it with an empty value. Keep long texts in a system of your own."),
            message="Metadata values have up to 500 characters.",
            param="metadata",
            guide="requests",
        ),
        ErrorCode(
            code="search_query_invalid",
            statuses=(400,),
            title=_("The search cannot be read"),
            meaning=_("The query breaks the rules of the search language, or names a field that is not searched."),
            cause=_("`AND` mixed with `OR`, a value with a space and no quotes, `~`, or an unknown field."),
            mend=_('Write clauses as `field:"value"`, join them by `AND` or by `OR`, and use the listed fields.'),
            message="Field 'foo' is not searched; these are: amount, created, currency, customer, status, metadata.",
            param="query",
            guide="search",
        ),
        ErrorCode(
            code="capture_method_unsupported",
            statuses=(400,),
            title=_("A wallet payment cannot be captured later"),
            meaning=_("A wallet pays at once: there is nothing to reserve first and to take later."),
            cause=_("`capture_method` was `manual`, and the payment method is a wallet."),
            mend=_("Leave `capture_method` out, or ask for a card: a bank holds the amount for seven days."),
            message="A wallet payment cannot be captured later: use 'automatic' or 'automatic_async'.",
            param="capture_method",
            guide="first-payment",
        ),
        ErrorCode(
            code="url_invalid",
            statuses=(400,),
            title=_("The address cannot be used"),
            meaning=_("A parameter that takes an address, such as `return_url`, holds none that a browser can open."),
            cause=_(
                "The scheme is missing, or it is a path without a host. A webhook’s address must be public too: "
                "a domain name and no number, no user name, and `https` in live mode."
            ),
            mend=_(
                "Send the whole address, from `https://` on. For webhooks to your own machine, whoever runs the "
                "platform lists it in `WEBHOOK_ALLOW_HOSTS`."
            ),
            message="Not a valid URL: it must begin with https:// and name a host.",
            param="return_url",
            guide="cards",
        ),
        ErrorCode(
            code="payment_intent_incompatible_payment_method",
            statuses=(400,),
            title=_("The payment may not be paid this way"),
            meaning=_(
                "`payment_method_types` says how a payment may be paid, and this payment method is of none of them."
            ),
            cause=_("The payment was created for a wallet and confirmed with a card, or the other way round."),
            mend=_("Name the type in `payment_method_types`, or leave it out: every type is then taken."),
            message="The PaymentMethod provided (card) is not allowed for this PaymentIntent, which accepts: wallet.",
            param="payment_method",
            guide="cards",
        ),
        ErrorCode(
            code="provider_not_configured",
            statuses=(400,),
            title=_("Nobody takes cards in this mode"),
            meaning=_("A card payment needs an outside provider, and this platform has none for the book’s mode."),
            cause=_("Live mode has no provider until one is configured; test mode has the sandbox acquirer."),
            mend=_("Configure a provider, or let the customer pay from a wallet."),
            message="No payment provider takes cards in live mode here. Configure one, or pay in another way.",
            param="payment_method",
            guide="cards",
        ),
        ErrorCode(
            code="payment_method_type_unknown",
            statuses=(400,),
            title=_("The kind of payment method is not offered"),
            meaning=_("The saved payment method is of a kind that this platform does not take."),
            cause=_("The kind was switched off after the payment method had been saved."),
            mend=_("Ask the customer for another way to pay."),
            message="The payment method type 'card' is not one of: wallet.",
            param="payment_method",
            guide="first-payment",
        ),
    ),
)

OBJECTS = Group(
    "objects",
    _("Objects and their state"),
    (
        ErrorCode(
            code="resource_missing",
            statuses=(404, 400),
            title=_("There is no such object"),
            meaning=_("No object of this book has the id: status 404 for an id in the address, 400 in a parameter."),
            cause=_(
                "The id is mistyped, belongs to test mode while the key is live or the other way round, was deleted, "
                "or is another merchant’s."
            ),
            mend=_("Compare the id’s first letters with the kind of object, and the mode of the key with its mode."),
            message="No such payment_intent: 'pi_0351h7qKIr34laXHDgyqLV'",
            guide="keys",
        ),
        ErrorCode(
            code="resource_already_exists",
            statuses=(400,),
            title=_("The name is taken"),
            meaning=_(
                "Another object has the name that must be used once: an order’s `reference`, a price’s `lookup_key`."
            ),
            cause=_("The same order was created twice, most often because an answer got lost and was not waited for."),
            mend=_(
                "Find the object by its name and go on with it. Send an idempotency key with everything that creates, "
                "so that a repeated request answers with the first object."
            ),
            message="An order with this reference exists.",
            param="reference",
            guide="orders",
        ),
        ErrorCode(
            code="coupon_expired",
            statuses=(400,),
            title=_("The coupon is over"),
            meaning=_("No code can be made for a coupon that has ended, or switched on again."),
            cause=_("The coupon’s `redeem_by` has passed, or it was used as often as `max_redemptions` says."),
            mend=_("Make a new coupon, and codes for that one."),
            message="This coupon cannot be used any more.",
            param="promotion[coupon]",
            guide="checkout",
        ),
        ErrorCode(
            code="checkout_session_unexpected_state",
            statuses=(400,),
            title=_("The checkout session is over, or being paid for"),
            meaning=_(
                "A session ends once: paid for, or expired. This one cannot be expired any more, or not just now."
            ),
            cause=_(
                "The payer was faster, its time ran out, it was expired before, or a payment is on its way whose "
                "outcome the bank has not told yet."
            ),
            mend=_(
                "Retrieve the session: `status` and `payment_status` say how it stands. Expire only what is `open`."
            ),
            message="Only Checkout Sessions with a status in ['open'] can be expired. This one is complete.",
            guide="checkout",
        ),
        ErrorCode(
            code="product_in_use",
            statuses=(400,),
            title=_("The product has prices"),
            meaning=_("A product with prices is named by orders, so it cannot be deleted."),
            cause=_("A price was created for it, even if nobody has bought it."),
            mend=_("Make it inactive instead, with `active=false`: it is then no longer sold."),
            message="This product has prices: make it inactive instead (active=false).",
            param="id",
            guide="orders",
        ),
        ErrorCode(
            code="unexpected_state",
            statuses=(400,),
            title=_("The object’s state does not allow this"),
            meaning=_("The object exists, and what was asked cannot be done to it any more, or not yet."),
            cause=_("It was ended before: a permission taken back twice, for instance."),
            mend=_("Retrieve the object, read its present state, and go on from there."),
            message="The mandate was revoked before.",
            guide="errors",
        ),
        ErrorCode(
            code="payment_code_invalid",
            statuses=(400,),
            title=_("There is no such payment code"),
            meaning=_("The code that was read opens no wallet here, so nothing was charged."),
            cause=_(
                "It ran out (a code lasts a minute), the customer has a newer one on the screen, it was mistyped, or "
                "it is of the other mode or currency."
            ),
            mend=_("Ask the customer to show a new code, and read that."),
            message="There is no such payment code, or it has run out. Ask the customer to show a new one.",
            param="payment_code",
            guide="errors",
        ),
        ErrorCode(
            code="payment_code_spent",
            statuses=(400,),
            title=_("The payment code was used before"),
            meaning=_("A code pays once, also where the payment was declined."),
            cause=_("The code was read twice, or at two tills."),
            mend=_(
                "Look for the payment before you ask for another: it may have gone through. Otherwise ask the customer "
                "to show a new code. To repeat a request, send the same idempotency key."
            ),
            message="This payment code was used before. Ask the customer to show a new one.",
            param="payment_code",
            guide="errors",
        ),
        ErrorCode(
            code="payment_code_limit_exceeded",
            statuses=(400,),
            title=_("The amount is over the day’s limit for payment codes"),
            meaning=_("What codes of one wallet pay in a day, over all merchants, is limited. The code is still good."),
            cause=_("The customer paid much by code today, or signed in with one factor alone."),
            mend=_("Let the customer pay in another way, or charge less."),
            message="Payment codes of this wallet pay at most 100000 a day. Ask the customer to pay in another way.",
            param="amount",
            guide="errors",
        ),
        ErrorCode(
            code="payment_intent_unexpected_state",
            statuses=(400,),
            title=_("The payment is in another state"),
            meaning=_("The payment intent was paid or canceled before, so it cannot be changed like this."),
            cause=_("It was confirmed twice, or canceled after it had succeeded."),
            mend=_(
                "Read `payment_intent` in the error: it shows the present state. A paid one is refunded, not canceled."
            ),
            message="This PaymentIntent's status is succeeded, so it cannot be canceled.",
            guide="first-payment",
        ),
        ErrorCode(
            code="setup_intent_unexpected_state",
            statuses=(400,),
            title=_("The setup is in another state"),
            meaning=_("The setup intent succeeded, was canceled or is being verified, so this cannot be done to it."),
            cause=_("It was confirmed twice, or canceled after it had succeeded."),
            mend=_("Retrieve the setup intent and read its status. Create a new one to save another card."),
            message="This SetupIntent's status is canceled, so it cannot be canceled.",
            guide="cards",
        ),
        ErrorCode(
            code="payment_method_unexpected_state",
            statuses=(400,),
            title=_("The payment method cannot be used"),
            meaning=_("The payment method was detached, lost its mandate, or belongs to another customer."),
            cause=_("Detaching is final: it takes the owner’s permission back as well."),
            mend=_("List the customer’s payment methods and use one of them, or ask for a new one."),
            message="This payment method was detached from its customer and cannot be used again.",
            param="payment_method",
            guide="first-payment",
        ),
        ErrorCode(
            code="member_unexpected_state",
            statuses=(400,),
            title=_("The member is in another state"),
            meaning=_("The member left, was merged into another one, or was not merged, so this cannot be done to it."),
            cause=_("Somebody else was faster, or your program kept the id of a member that became an alias."),
            mend=_("Retrieve the member: `merged_into` names the one to go on with."),
            message="Both have to be members, and neither merged before.",
            guide="first-payment",
        ),
        ErrorCode(
            code="order_amount_exceeded",
            statuses=(400,),
            title=_("The order does not owe that much"),
            meaning=_("The order’s payments cover it already, or the new one asks for more than is left."),
            cause=_("The same order was to be paid twice. This refusal is what keeps it from being charged twice."),
            mend=_(
                "Retrieve the order and read `amount_due`. Cancel a payment intent that nobody will pay: what it "
                "covered is then owed again."
            ),
            message="The order 'MO-1001' still owes 0 that no other payment covers; 18600 is more.",
            param="amount",
            guide="orders",
        ),
    ),
)

DECLINES = Group(
    "declines",
    _("Declined payments"),
    (
        ErrorCode(
            code="card_declined",
            statuses=(402,),
            type=CARD,
            title=_("The payment was declined"),
            meaning=_(
                "The request was right and the payment was refused. Nothing was charged; the payment intent is back in "
                "`requires_payment_method`. The word `card` is Stripe’s and stands for every way to pay."
            ),
            cause=_(
                "`decline_code` says why, as far as the bank says it: `generic_decline`, `lost_card`, `stolen_card`, "
                "`fraudulent`, or a reason with a page of its own, which `doc_url` opens."
            ),
            mend=_("Show the customer the message, and confirm the same payment intent with another payment method."),
            message="The wallet has insufficient funds to complete the payment.",
            guide="declines",
        ),
        ErrorCode(
            code="insufficient_funds",
            statuses=(402,),
            type=CARD,
            title=_("There is not enough money"),
            meaning=_(
                "The payment was declined because the wallet or the card’s account holds less than the amount. Nothing "
                "was charged."
            ),
            cause=_(
                "The money was spent elsewhere. By how much it falls short, a merchant never learns: a balance is "
                "private."
            ),
            mend=_(
                "Ask the customer to top up or to choose another way to pay, then confirm the same payment intent "
                "again."
            ),
            message="The wallet has insufficient funds to complete the payment.",
            guide="declines",
        ),
        ErrorCode(
            code="mandate_revoked",
            statuses=(402,),
            type=CARD,
            title=_("The customer took the permission back"),
            meaning=_("The wallet’s owner no longer lets this merchant take payments from it. Nothing was charged."),
            cause=_("The mandate behind the payment method was revoked by its owner."),
            mend=_("Do not try again with this payment method. Ask the customer for another one."),
            message="The customer revoked the permission to pay from this wallet.",
            guide="declines",
        ),
        ErrorCode(
            code="mandate_expired",
            statuses=(402,),
            type=CARD,
            title=_("The customer’s permission has expired"),
            meaning=_("The permission was given until a certain time, which has passed. Nothing was charged."),
            cause=_("The mandate behind the payment method has reached its end."),
            mend=_("Ask the customer to give the permission again, or for another way to pay."),
            message="The customer's permission to pay from this wallet has expired.",
            guide="declines",
        ),
        ErrorCode(
            code="mandate_limit_exceeded",
            statuses=(402,),
            type=CARD,
            title=_("The payment is over the customer’s limit"),
            meaning=_("The wallet’s owner set a limit for each payment to this merchant. Nothing was charged."),
            cause=_("The amount is over the limit of the mandate."),
            mend=_("Ask the customer to raise the limit, or for another way to pay."),
            message="The amount is over the limit that the customer set for this merchant.",
            guide="declines",
        ),
        ErrorCode(
            code="currency_mismatch",
            statuses=(402,),
            type=CARD,
            title=_("The wallet holds another currency"),
            meaning=_("The payment is in one currency and the wallet in another. Nothing was charged."),
            cause=_("A wallet has one currency, and nothing is exchanged on the way."),
            mend=_("Create the payment in the wallet’s currency, or ask for another way to pay."),
            message="The wallet holds another currency than the payment's.",
            guide="declines",
        ),
    ),
)

CARDS = Group(
    "cards",
    _("Cards"),
    (
        ErrorCode(
            code="expired_card",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            title=_("The card has expired"),
            meaning=_("The card is not valid any more, by its own date or by its bank’s word. Nothing was charged."),
            cause=_("The month on the card is over, or the bank has replaced the card."),
            mend=_("Ask the customer for the new card or for another way to pay."),
            message="Your card has expired.",
            guide="cards",
        ),
        ErrorCode(
            code="incorrect_cvc",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            title=_("The security code is wrong"),
            meaning=_("The bank compared the card’s security code and it was not the right one. Nothing was charged."),
            cause=_("The code was mistyped, or is that of another card."),
            mend=_(
                "Let the customer type it again: three digits on the back, four on the front of an American Express "
                "card."
            ),
            message="Your card's security code is incorrect.",
            guide="cards",
        ),
        ErrorCode(
            code="processing_error",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            title=_("The card could not be processed"),
            meaning=_("The bank or the way to it failed. Nothing was charged."),
            cause=_("A part of the card network did not answer. It says nothing of the card."),
            mend=_("Confirm the same payment intent again in a moment, with the same card or another one."),
            message="An error occurred while processing your card. Try again in a little bit.",
            guide="cards",
        ),
        ErrorCode(
            code="authentication_required",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            title=_("The bank wants to ask the customer"),
            meaning=_(
                "The bank pays only once the customer has confirmed the payment, and the customer was not there. "
                "Nothing was charged."
            ),
            cause=_("The payment was confirmed with `off_session`, and this card asks for a confirmation each time."),
            mend=_("Bring the customer back, and confirm the same payment intent without `off_session`."),
            message="Your card was declined. This transaction requires authentication.",
            guide="cards",
        ),
        ErrorCode(
            code="incorrect_number",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            has_payment=False,
            title=_("The card number is wrong"),
            meaning=_("The number cannot be that of a card, so no bank was asked and nothing was kept."),
            cause=_("A digit is mistyped or missing."),
            mend=_("Let the customer type the number again."),
            message="Your card number is incorrect.",
            param="number",
            guide="cards",
        ),
        ErrorCode(
            code="invalid_expiry_month",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            has_payment=False,
            title=_("The month is not one"),
            meaning=_("The month on a card is between 1 and 12. No bank was asked and nothing was kept."),
            cause=_("Month and year were exchanged, or the month is mistyped."),
            mend=_("Let the customer type the month again."),
            message="Your card's expiration month is invalid.",
            param="exp_month",
            guide="cards",
        ),
        ErrorCode(
            code="invalid_expiry_year",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            has_payment=False,
            title=_("The year cannot be right"),
            meaning=_("The year on the card is too far away. No bank was asked and nothing was kept."),
            cause=_("The year is mistyped."),
            mend=_("Let the customer type the year again, with two digits or four."),
            message="Your card's expiration year is invalid.",
            param="exp_year",
            guide="cards",
        ),
        ErrorCode(
            code="invalid_cvc",
            statuses=(402,),
            type=CARD,
            is_own_code=True,
            has_payment=False,
            title=_("The security code cannot be right"),
            meaning=_(
                "The security code has three digits, four on an American Express card. No bank was asked and nothing "
                "was kept."
            ),
            cause=_("A digit is missing or too many."),
            mend=_("Let the customer type the code again."),
            message="Your card's security code is invalid.",
            param="cvc",
            guide="cards",
        ),
        ErrorCode(
            code="payment_intent_authentication_failure",
            statuses=(402, 400),
            title=_("The customer was not recognised"),
            meaning=_(
                "The bank asked the customer to confirm the payment, and was not answered as it must be. Nothing was "
                "charged."
            ),
            cause=_("The customer refused, gave a wrong answer, or let the time pass."),
            mend=_("Confirm the same payment intent again, with this card or another one."),
            message=(
                "We are unable to authenticate your payment method. Please choose a different payment method "
                "and try again."
            ),
            guide="cards",
        ),
        ErrorCode(
            code="setup_intent_authentication_failure",
            statuses=(402, 400),
            title=_("The customer was not recognised while saving a card"),
            meaning=_(
                "The bank asked the customer to confirm that the card may be saved, and was not answered as it must be."
            ),
            cause=_("The customer refused, gave a wrong answer, or let the time pass."),
            mend=_("Confirm the same setup intent again, with this card or another one."),
            message=(
                "We are unable to authenticate your payment method. Please choose a different payment method "
                "and try again."
            ),
            guide="cards",
        ),
    ),
)

REFUNDS = Group(
    "refunds",
    _("Refunds"),
    (
        ErrorCode(
            code="stored_value_spent",
            statuses=(400,),
            title=_("The value that was bought has been spent"),
            meaning=_("The order line put value on a card, and the card no longer has it. Nothing was given back."),
            cause=_("Whoever holds the card paid with it before its purchase was refunded."),
            mend=_("Refund at most what is still on the card: retrieve it and read `balance[paid]`."),
            message="5000 of what this line put on a card has been spent, so it cannot be refunded.",
            guide="refunds",
        ),
        ErrorCode(
            code="stored_value_card_unexpected_state",
            statuses=(400,),
            title=_("The card's status does not allow that"),
            meaning=_("A frozen or expired stored-value card cannot be loaded."),
            cause=_("The card was frozen by you, or its time is over."),
            mend=_("Let a frozen card be spent again first; issue another one for an expired card."),
            message="This card is frozen, so it cannot be loaded.",
            guide="errors",
        ),
        ErrorCode(
            code="stored_value_load_too_large",
            statuses=(400,),
            title=_("More than the order line was sold for"),
            meaning=_("What is loaded of an order line never comes to more than its price. Nothing was loaded."),
            cause=_("The amount holds the bonus too, or the line loaded a card before."),
            mend=_("Send what the line costs as `amount`, and what you add to it as `bonus_amount`."),
            message="This line was sold for 30000 more, not 33000; what is added to it is a bonus.",
            param="amount",
            guide="orders",
        ),
        ErrorCode(
            code="charge_already_refunded",
            statuses=(400,),
            title=_("Everything was given back before"),
            meaning=_("Nothing of the charge is left to refund."),
            cause=_("The refund was asked for twice with different idempotency keys, or parts added up to the whole."),
            mend=_("List the refunds of the charge: the money went back with them."),
            message="Charge ch_0351h7qKIr34mVcU5Jjq8H has already been refunded.",
            guide="refunds",
        ),
        ErrorCode(
            code="approval_required",
            statuses=(403,),
            title=_("So large a refund needs a second person"),
            meaning=_("The merchant lets a person of staff refund so much of a payment alone, and this is more."),
            cause=_("Somebody at the dashboard refunded above that limit. A refund by API key is never refused so."),
            mend=_("Ask for an approval on the refund's page: it is made when another person allows it."),
            message="So large a refund needs a second person: ask for an approval.",
            guide="refunds",
        ),
        ErrorCode(
            code="charge_not_refundable",
            statuses=(400,),
            title=_("The charge took no money"),
            meaning=_("Only what was paid can be given back."),
            cause=_("The payment was declined, canceled, or never confirmed."),
            mend=_("Cancel a payment intent that is still open. There is nothing else to do."),
            message=("This PaymentIntent (pi_0351h7qKIr34laXHDgyqLV) does not have a successful charge to refund."),
            param="payment_intent",
            guide="refunds",
        ),
        ErrorCode(
            code="charge_refund_amount_exceeded",
            statuses=(400,),
            title=_("The refund is more than what is left"),
            meaning=_("All refunds of a charge, or of an order line, never sum to more than was paid for it."),
            cause=_("Parts were refunded before, or a quantity or an amount is too high."),
            mend=_("Leave `amount` out to give back all that is left, or read `amount_refunded` and ask for less."),
            message="Refund amount (20000) is greater than unrefunded amount on charge (18600).",
            param="amount",
            guide="refunds",
        ),
        ErrorCode(
            code="refund_lines_mismatch",
            statuses=(400,),
            title=_("Lines and amount do not agree"),
            meaning=_("The named lines sum to another amount than `amount`, or a line is named twice."),
            cause=_("The amount was computed apart from the lines, with another rounding."),
            mend=_("Leave `amount` out: the lines say how much it is."),
            message="The named lines sum to 8800, not to 9000.",
            param="amount",
            guide="refunds",
        ),
        ErrorCode(
            code="refund_not_cancelable",
            statuses=(400,),
            title=_("The refund cannot be recalled"),
            meaning=_("A wallet gets its money back at once, and a card’s provider is told at once."),
            cause=_("The refund succeeded, or is on its way to the card."),
            mend=_("Create a new payment if the customer is to pay again."),
            message="This refund's status is succeeded, so it cannot be canceled.",
            guide="refunds",
        ),
    ),
)

REPETITION = Group(
    "repetition",
    _("Repeated and simultaneous requests"),
    (
        ErrorCode(
            code="idempotency_error",
            statuses=(400,),
            type=IDEMPOTENCY,
            title=_("The idempotency key was used for another request"),
            meaning=_("The key stands for the first request it came with, and this one differs from it."),
            cause=_("A key was reused for a new act, or a parameter changed between two tries."),
            mend=_("Use a new key for a new act. To repeat the old one, send exactly what you sent before."),
            message=(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
                "using a key other than 'order-1001' if you meant to execute a different request."
            ),
            guide="idempotency",
        ),
        ErrorCode(
            code="idempotency_key_invalid",
            statuses=(400,),
            title=_("The idempotency key cannot be used"),
            meaning=_("The `Idempotency-Key` header is too long, or has characters that cannot be printed."),
            cause=_("A whole document, or bytes of a digest, were sent as the key."),
            mend=_("Send a random UUID, or the id of the act in your own system."),
            message="Idempotency keys have at most 255 printable characters.",
            guide="idempotency",
        ),
        ErrorCode(
            code="idempotency_key_in_use",
            statuses=(409,),
            title=_("The first request with this key is still at work"),
            meaning=_("A request with the same idempotency key has begun and has not been answered yet."),
            cause=_("The request was repeated before the first one had ended."),
            mend=_(
                "Wait a moment, then send the same request again, with the same idempotency key: you get its answer."
            ),
            message="The first request with this idempotency key is still at work. Try again in a moment.",
            guide="idempotency",
        ),
        ErrorCode(
            code="lock_timeout",
            statuses=(409,),
            title=_("Another request is still at work"),
            meaning=_("A request with the same idempotency key, or on the same object, did not finish in time."),
            cause=_("Two requests for one object came at the same moment, and this one waited its turn in vain."),
            mend=_(
                "Send the same request again, with the same idempotency key. If the first one went through, you get "
                "its answer."
            ),
            message="Another request on the same object is still at work. Try again.",
            guide="idempotency",
        ),
        ErrorCode(
            code="conflict",
            statuses=(409,),
            title=_("Somebody else was faster"),
            meaning=_("The object changed while this request was at work on it. Nothing was written."),
            cause=_("Two requests for one object came at the same moment, such as two payments of one order."),
            mend=_("Retrieve the object, see what has changed, and try again if it is still needed."),
            message="The order was paid by another request at the same time.",
            guide="idempotency",
        ),
        ErrorCode(
            code="already_posted",
            statuses=(409,),
            title=_("It has been booked before"),
            meaning=_("The ledger holds an entry for this very act, and it holds each one once."),
            cause=_("Two requests tried the same act at the same moment."),
            mend=_("Retrieve the object: the act has happened."),
            message="This was posted before.",
            guide="idempotency",
        ),
        ErrorCode(
            code="hold_settled",
            statuses=(409,),
            title=_("The reserved amount is no longer reserved"),
            meaning=_("What was set aside was taken or given back before, and it can be only once."),
            cause=_("Two requests tried to settle one reserved amount at the same moment."),
            mend=_("Retrieve the object: it shows which of the two went through."),
            message="The reserved amount was completed or given back before.",
            guide="idempotency",
        ),
    ),
)

POINTS = Group(
    "points",
    _("Points"),
    (
        ErrorCode(
            code="points_insufficient",
            statuses=(400,),
            title=_("The member does not have so many points"),
            meaning=_("Points can be spent up to what is neither pending, held nor expired."),
            cause=_("More points were asked for than the member can spend."),
            mend=_("Read the member's balance, and ask for no more than `available`."),
            message="The member can spend 40 points.",
            param="points",
            guide="errors",
        ),
        ErrorCode(
            code="points_budget_exceeded",
            statuses=(400,),
            title=_("The budget does not allow so many points"),
            meaning=_("A programme grants no more points than its budget holds."),
            cause=_("An adjustment would grant more than is left."),
            mend=_("Raise the budget on the programme's page, or grant fewer points."),
            message="The programme's budget does not have so many points left.",
            param="points",
            guide="errors",
        ),
        ErrorCode(
            code="points_not_transferable",
            statuses=(400,),
            title=_("These points stay with their member"),
            meaning=_("The programme's terms do not let members give points to each other."),
            cause=_("A transfer was asked for in such a programme."),
            mend=_("Change the programme's terms, or adjust both members' points."),
            message="Points of this programme cannot be transferred.",
            guide="errors",
        ),
        ErrorCode(
            code="points_held",
            statuses=(409,),
            title=_("Points are held for a payment"),
            meaning=_("While a payment holds a member's points, the member cannot be merged into another one."),
            cause=_("A merge was asked for in that moment."),
            mend=_("Wait until the payment is over, then merge again."),
            message="Points of this member are held for a payment that is under way. Try again when it is over.",
            guide="errors",
        ),
        ErrorCode(
            code="programme_inactive",
            statuses=(400,),
            title=_("The programme is closed"),
            meaning=_("Nothing is given or moved in a programme that was closed."),
            cause=_("An adjustment or a transfer was asked for after that."),
            mend=_("Open the programme again on its page."),
            message="This programme is closed.",
            guide="errors",
        ),
        ErrorCode(
            code="programme_terms_invalid",
            statuses=(400,),
            title=_("The terms do not fit together"),
            meaning=_("A programme's terms are checked as a whole before they are kept."),
            cause=_("A number is out of its range, or a rule names a tier that is not there."),
            mend=_("`param` names what is wrong: change it, and send the terms again."),
            message="rules[0][points] is a whole number from 1 to 100000.",
            param="rules[0][points]",
            guide="errors",
        ),
        ErrorCode(
            code="programme_changed",
            statuses=(409,),
            title=_("Somebody changed the terms"),
            meaning=_("Terms are changed from the version that was read."),
            cause=_("Somebody else saved a newer version meanwhile."),
            mend=_("Read the programme again, then make your change."),
            message="Somebody changed the terms at the same time. Look at them again.",
            guide="errors",
        ),
        ErrorCode(
            code="run_in_progress",
            statuses=(409,),
            title=_("This work is under way"),
            meaning=_("Work over all members of a programme runs once at a time."),
            cause=_("The same work was asked for while it ran."),
            mend=_("Wait until it is done: the programme's page shows how far it is."),
            message="This is under way already.",
            guide="errors",
        ),
        ErrorCode(
            code="reward_unavailable",
            statuses=(400,),
            title=_("The reward is not to be had"),
            meaning=_("A reward is given while it is active and while there is one left."),
            cause=_("It was switched off, or the last one is taken."),
            mend=_("Offer another reward, or raise the `stock`."),
            message="This reward is not to be had any more.",
            guide="errors",
        ),
        ErrorCode(
            code="redemption_unexpected_state",
            statuses=(400,),
            title=_("The redemption has ended"),
            meaning=_("A reward that is held is completed or canceled, once."),
            cause=_("It was completed, canceled, or given back after its time."),
            mend=_("Retrieve the redemption to see how it ended."),
            message="This redemption is completed and cannot be changed any more.",
            guide="errors",
        ),
    ),
)

WEBHOOKS = Group(
    "webhooks",
    _("Webhooks"),
    (
        ErrorCode(
            code="webhook_endpoint_limit",
            statuses=(400,),
            title=_("There are as many endpoints as there may be"),
            meaning=_("A merchant has so many webhook endpoints in each mode and no more: an event goes to all."),
            cause=_("Endpoints of earlier tries were left, or a program makes a new one each time it starts."),
            mend=_("Delete the endpoints that nobody uses, and change an endpoint instead of making another."),
            message="A merchant has up to 16 webhook endpoints a mode: delete one first.",
            guide="webhooks",
        ),
        ErrorCode(
            code="webhook_endpoint_disabled",
            statuses=(400,),
            title=_("The endpoint is switched off"),
            meaning=_("Nothing is sent to an endpoint that is disabled, not even on request."),
            cause=_("It was disabled by a request, answered 410, or answered nothing but failures for days."),
            mend=_("See `disabled_reason`, mend what it says, then enable the endpoint with `disabled=false`."),
            message="This endpoint is disabled: enable it first (disabled=false).",
            guide="webhooks",
        ),
        ErrorCode(
            code="backfill_too_large",
            statuses=(400,),
            title=_("The range holds too many events"),
            meaning=_("One back-fill sends a limited number of events, so that they do not arrive all at once."),
            cause=_("`created` spans too long a time for the types that are asked for."),
            mend=_("Ask for shorter ranges, one after the other, or name fewer `types`."),
            message="The range holds more than 10000 events: ask for a shorter one.",
            param="created",
            guide="webhooks",
        ),
        ErrorCode(
            code="webhook_test_running",
            statuses=(429,),
            title=_("The endpoint was tried a moment ago"),
            meaning=_("A test sends several requests one after the other, and one test runs at a time."),
            cause=_("The test was started twice, or by two people."),
            mend=_("Wait a few seconds, then try it again."),
            message="This endpoint was tried within the last 15 seconds.",
            guide="webhooks",
        ),
    ),
)

CLOCKS = Group(
    "clocks",
    _("Test clocks"),
    (
        ErrorCode(
            code="test_clock_live",
            statuses=(400,),
            title=_("Live mode has the world’s time"),
            meaning=_("A test clock moves the time of a test book. Live books have none."),
            cause=_("A clock was asked for in live mode."),
            mend=_("Change to test mode."),
            message="Live mode has the world's time.",
            guide="keys",
        ),
        ErrorCode(
            code="test_clock_exists",
            statuses=(400,),
            title=_("The book has a test clock already"),
            meaning=_("A test book has one clock at the most."),
            cause=_("Somebody else started it."),
            mend=_("Move the clock that is there."),
            message="This book has a test clock already.",
            guide="keys",
        ),
        ErrorCode(
            code="test_clock_missing",
            statuses=(400,),
            title=_("The book has no test clock"),
            meaning=_("Its time is the world’s, which nobody moves."),
            cause=_("No clock was started, or it was taken away."),
            mend=_("Start a test clock, then move it."),
            message="This book has no test clock.",
            guide="keys",
        ),
        ErrorCode(
            code="test_clock_not_forward",
            statuses=(400,),
            title=_("A test clock moves forward"),
            meaning=_("The time asked for is not later than where the clock stands, or more than a year later."),
            cause=_("Somebody else moved it meanwhile, or the date is mistyped."),
            mend=_("Choose a later time; go more than a year in several steps."),
            message="A test clock moves forward, 366 days at a time at most.",
            param="to",
            guide="keys",
        ),
        ErrorCode(
            code="test_clock_ahead",
            statuses=(400,),
            title=_("The clock is ahead of the world"),
            meaning=_("Without its clock the book would go back in time, and what happened would lie in its future."),
            cause=_("The clock was moved beyond the present."),
            mend=_("Wait until the world has caught up, or go on with the clock."),
            message="The clock is ahead of the world: time does not go back.",
            guide="keys",
        ),
    ),
)

PLATFORM = Group(
    "platform",
    _("The platform itself"),
    (
        ErrorCode(
            code="api_error",
            statuses=(500,),
            type=API,
            title=_("Something went wrong on our side"),
            meaning=_(
                "The platform made a mistake. A payment is written as a whole or not at all, so none is half done."
            ),
            cause=_("It is not your request’s doing. The mistake was logged with the id in `Request-Id`."),
            mend=_(
                "Send the same request again, with the same idempotency key. If it stays, give whoever runs the "
                "platform the `Request-Id`."
            ),
            message="Something went wrong on our side. Nothing was charged twice: retry.",
            guide="errors",
        ),
        ErrorCode(
            code="service_unavailable",
            statuses=(503,),
            type=API,
            title=_("It cannot be done just now"),
            meaning=_("Something that the platform needs does not answer. Nothing was charged."),
            cause=_("A part of the platform is being started, moved or repaired."),
            mend=_(
                "Wait a little, then send the same request again with the same idempotency key. `/readyz` shows the "
                "state."
            ),
            message="It cannot be done just now. Try again later.",
            guide="errors",
        ),
        ErrorCode(
            code="ledger_needs_rebase",
            statuses=(503,),
            type=API,
            title=_("The ledger takes no entries at the moment"),
            meaning=_("The database was restored on another server, and the ledger waits until it is told so."),
            cause=_("A backup was restored and the last step is missing. Until then no value can move."),
            mend=_("Whoever runs the platform runs `manage.py ledger rebase`. Then send the same request again."),
            message="The ledger was restored into another database and waits for 'manage.py ledger rebase'.",
            guide="errors",
        ),
        ErrorCode(
            code="hold_too_small",
            statuses=(400,),
            title=_("More was to be taken than was reserved"),
            meaning=_("What is taken of a reserved amount never exceeds it."),
            cause=_("The amount grew after it had been reserved."),
            mend=_("Take the reserved amount, and create another payment for the rest."),
            message="20000 is more than the 18600 reserved.",
            guide="errors",
        ),
    ),
)

GROUPS = (
    *(KEYS, REQUESTS, PARAMETERS, OBJECTS, DECLINES, CARDS, REFUNDS),
    *(REPETITION, POINTS, WEBHOOKS, CLOCKS, PLATFORM),
)
CODES = {each.code: each for group in GROUPS for each in group.codes}


def search(words: str) -> Iterator[tuple[Group, list[ErrorCode]]]:
    """The groups with the codes that contain every word, in the active language, the code or the status."""
    wanted = words.casefold().split()
    for group in GROUPS:
        found = [each for each in group.codes if all(word in _searched(each) for word in wanted)]
        if found:
            yield group, found


def _searched(each: ErrorCode) -> str:
    statuses = " ".join(map(str, each.statuses))
    return f"{each.code} {statuses} {each.title} {each.meaning} {each.cause} {each.mend} {each.message}".casefold()
