"""What the admin's pages say: from a query string to a question, and from its answer to rows and lines. No HTML.

state        what the query string says, as texts, and links to what it could say instead
question     what those texts mean; what does not is told beside its field
columns      which formulas are shown when none are named
table        an answer's rows, as a page and as a spreadsheet show them
graph        lines over time, and sparklines
pages        all that a counter's page and the list of counters show
decision     all that a decision's page shows; decisions: the list of them
standings    its options; posterior: these over time; segments: by groups of visitors; decided: the log
verdicts     what its numbers mean, in sentences; alternatives: what something else would have earned
writing      numbers, dates and changes as the reader's language writes them
"""
