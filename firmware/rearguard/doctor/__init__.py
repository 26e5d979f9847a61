"""`rearguard doctor`: what is wrong with this machine as a belt, and the line that mends it.

Each check is a function of a Visit and yields Findings; `examine` holds the list of them. Nothing here is needed to
guard, and nothing of the guard imports it.
"""
