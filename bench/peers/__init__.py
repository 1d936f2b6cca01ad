"""Programs that train with other AutoML libraries, each in an environment of its own.

Each is called with a folder and a number of seconds: it reads `train.csv`, `test.csv` and `task.json` there (`task`,
`target`, `metric`), and writes `answers.csv`: for labels a column of probabilities for each, for numbers `prediction`.
It imports nothing of ours.
"""
