from django.contrib import admin

from accounts.admin.access import DeviceAdmin, SessionAdmin
from accounts.admin.issuing import AccountImportAdmin
from accounts.admin.members import (
    MemberAdmin,
    MembershipAdmin,
    MembershipCategoryAdmin,
    PrivilegeHoldAdmin,
)
from accounts.admin.messages import MessageTemplateAdmin, NotificationAdmin, SmsUseAdmin
from accounts.admin.privacy import (
    DeletionRequestAdmin,
    MemberViewAdmin,
    PrivacyNoticeAdmin,
    RecordReadAdmin,
)
from accounts.admin.sign_in import StaffSignInForm
from accounts.admin.staff_messages import StaffMessageAdmin
from accounts.admin.users import UserAdmin

__all__ = [
    "AccountImportAdmin",
    "DeletionRequestAdmin",
    "DeviceAdmin",
    "MemberAdmin",
    "MemberViewAdmin",
    "MembershipAdmin",
    "MembershipCategoryAdmin",
    "MessageTemplateAdmin",
    "NotificationAdmin",
    "PrivacyNoticeAdmin",
    "PrivilegeHoldAdmin",
    "RecordReadAdmin",
    "SessionAdmin",
    "SmsUseAdmin",
    "StaffMessageAdmin",
    "StaffSignInForm",
    "UserAdmin",
]

admin.site.login_form = StaffSignInForm
