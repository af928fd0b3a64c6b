"""How well a model predicts a text: metrics, surprisal, scores per unit, baselines, overlap."""
