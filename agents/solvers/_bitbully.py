"""The solver's own process, without Lanista: reads games as JSON lists of columns, answers each column's score."""

import json
import sys

from bitbully import BitBully, Board

solver = BitBully()
print(json.dumps([solver.score_all_moves(Board(moves)) for moves in json.load(sys.stdin)]))
