"""The report of a run: one page that says what was run, what happened, how sure that is and how to do it again."""
