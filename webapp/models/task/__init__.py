"""The task, by trait: `task.py` lists them.

From the bottom: `state` (the table of states and transitions), `row` (the columns), `action_table` (what owners may
ask for), `locks`, `observers`, `signals`, `changes`, `unique_key`, `transitions`, `workflow`; then what owners, runs
and the sweeper do (`owner_actions`, `undoing`, `claim`, `progress`, `outcome`, `sweeping`), and `task` itself. Around
it are what belongs to a task (`event`, `artifact`), what finds and changes many (`filter`, `bulk`, `removal`), and the
processes that work (`worker`, `leader`).
"""
