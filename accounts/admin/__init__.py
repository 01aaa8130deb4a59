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
from accounts.admin.sign_in import StaffSignInForm
from accounts.admin.users import UserAdmin

__all__ = [
    "AccountImportAdmin",
    "DeviceAdmin",
    "MemberAdmin",
    "MembershipAdmin",
    "MembershipCategoryAdmin",
    "MessageTemplateAdmin",
    "NotificationAdmin",
    "PrivilegeHoldAdmin",
    "SessionAdmin",
    "SmsUseAdmin",
    "StaffSignInForm",
    "UserAdmin",
]

admin.site.login_form = StaffSignInForm
