-- Sets the retention limit of the data $1 to $2 days.
INSERT INTO retention_limits (data, days) VALUES ($1, $2)
ON CONFLICT (data) DO UPDATE SET days = EXCLUDED.days
