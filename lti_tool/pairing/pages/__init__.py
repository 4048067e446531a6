"""The pages on which staff propose groups, look at them, change them, publish them, and say who may meet whom."""
