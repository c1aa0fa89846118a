"""The ground floor: what three apps use and none owns. It knows no domain nouns and imports no app."""
