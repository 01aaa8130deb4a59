"""What the chat refuses, each with a code that apps switch on."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bcc.core.errors import ConflictError, DomainError, NotAllowedError, NotFoundError, WrongStateError


class NoSuchConversationError(NotFoundError):
    """Also for one that belongs to others: the two look the same."""

    code = "no_such_conversation"
    default_detail = _("There is no such conversation here. Read the list again.")


class NoSuchMessageError(NotFoundError):
    code = "no_such_message"
    default_detail = _("There is no such message here. Read the conversation again.")


class ReadOnlyConversationError(NotAllowedError):
    code = "read_only"
    default_detail = _("Only the club writes here. Write to a desk instead.")


class ChatHoldError(NotAllowedError):
    code = "chat_hold"
    default_detail = _("You may not write in the chat at present. Call the club if you think you should.")


class NotYourMessageError(NotAllowedError):
    code = "not_your_message"
    default_detail = _("Only its sender may change a message. Report it if it is not right.")


class ChatRuleError(DomainError):
    """A rule of the chat: 422."""

    status = 422
    title = _("The club's rules of the chat do not allow it.")


class EmptyMessageError(ChatRuleError):
    code = "empty_message"
    default_detail = _("There is nothing in this message. Write something.")


class MessageTooLongError(ChatRuleError):
    code = "message_too_long"
    default_detail = _("This message is too long. Send it in two.")


class NoSuchAttachmentError(ChatRuleError):
    code = "no_such_attachment"
    default_detail = _("A picture of this message is not there. Upload it for the chat first.")


class UnprintableError(ChatRuleError):
    code = "unprintable"
    default_detail = _("This message has characters that cannot be shown. Take them out.")


class HeldWordError(ChatRuleError):
    """A change may not bring in what a new message would be held for."""

    code = "held_word"
    default_detail = _("A moderator would have to see this first. Send it as a new message.")


class LinksRefusedError(ChatRuleError):
    code = "links_refused"
    default_detail = _("Links are not allowed here. Take it out and send the message again.")


class TooLateToChangeError(ChatRuleError):
    code = "too_late_to_change"
    default_detail = _("This message is too old to be changed. Send another.")


class NotReachableError(ChatRuleError):
    """For a number that is nobody's as well as for somebody who does not want it: nobody learns which."""

    code = "not_reachable"
    default_detail = _("This member cannot be written to. Ask them to allow it in their chat settings.")


class SwitchedOffError(ChatRuleError):
    code = "switched_off"
    default_detail = _("The club has switched this off. Write to a desk instead.")


class GroupTooLargeError(ChatRuleError):
    code = "group_too_large"
    default_detail = _("A group may not have so many people. Take some out.")


class ClientIdReusedError(ConflictError):
    code = "client_id_reused"
    default_detail = _("This client id belongs to another message of yours. Send it under a new one.")


class DecidedAlreadyError(WrongStateError):
    code = "decided_already"
    default_detail = _("Somebody has decided this already. Read it again.")


class AssignedAlreadyError(WrongStateError):
    code = "assigned_already"
    default_detail = _("Somebody else answers this conversation. Ask them to hand it over, or take it over.")
