"""The process student code runs in while a class is graded: what it may see of the grader.

`channel` frames what leaves the process, `isolate` closes the process in, `runner` runs the cells, and
`zygote` is the warm process that forks one child a submission. Nothing here knows an expected value.
"""
