# Hints between machines that a store's journal has grown, and counts of requests. Nothing that would be missed.

resource "aws_elasticache_subnet_group" "main" {
  count      = var.cache ? 1 : 0
  name       = "${var.name}-cache"
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_elasticache_replication_group" "main" {
  count                = var.cache ? 1 : 0
  replication_group_id = "${var.name}-cache"
  description          = "Redis of ${var.name}"
  engine               = "redis"
  engine_version       = "7.1"
  parameter_group_name = "default.redis7"
  node_type            = var.cache_type
  port                 = 6379

  num_cache_clusters         = 1 + var.cache_replicas
  automatic_failover_enabled = var.cache_replicas > 0
  multi_az_enabled           = var.cache_replicas > 0

  subnet_group_name          = aws_elasticache_subnet_group.main[0].name
  security_group_ids         = [aws_security_group.data["cache"].id]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  auth_token                 = local.secret.cache
  snapshot_retention_limit   = 0
  auto_minor_version_upgrade = true
  maintenance_window         = "sun:19:00-sun:20:00"
  apply_immediately          = true
}
