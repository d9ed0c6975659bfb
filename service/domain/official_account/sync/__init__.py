"""Make tags of ours and of the Official Account the same: plan what differs, then carry out exactly that.

Source: docs/specification.md, §6.2. Why it is done so: docs/architecture/12-remote-membership.md.
"""
