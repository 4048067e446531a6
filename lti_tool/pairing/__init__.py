"""Who works with whom.

Who is with whom and why: `service.published_groups` reads the groups, `service.why_matched` asks the engine what speaks
for those of a member, and `rules.why` has the sentences that learners may read.

When staff change a plan, as by a swap: `pages.changes` reads the form as a `Change`; `service.preview` and
`service.apply` load the plan as it is (`rules.current`); `rules.changes.outcome` makes the new groups and compares them
(`rules.comparing`); `store` writes them.
"""
