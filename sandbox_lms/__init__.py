"""A small LTI 1.3 platform for development and tests: never in the wheel, loopback only.

It answers as Moodle 4.5 does, quirks included, because that is the platform most schools have.
`platform.Platform` holds all state; `views` and `services` put it on HTTP; `serve` runs it on a
thread for a test; `visitor` walks a launch as a browser would. It imports nothing of the tool.
Unlike Moodle it can offer tools a storage in the browser, for the sake of platforms that do.
`registration` and `tools` let a tool register itself. Not imitated: paging of line items and
results, deep linking, submission review.
"""
