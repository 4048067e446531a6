"""Who works with whom.

Who is with whom and why: `service.groups_of` reads the groups of a member, `service.why_matched` asks the engine what
speaks for them, and `rules.why` has the sentences that learners may read.

When staff swap two people: `pages.changes` reads the form; `service.preview` and `service.apply` load the plan as it is
(`rules.current`); `rules.changes.outcome` makes the new groups and compares (`rules.comparing`); `store` writes them.
"""
