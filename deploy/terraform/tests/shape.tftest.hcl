# `terraform test`: plans both examples against a provider that is only pretended. Needs no account.

mock_provider "aws" {
  mock_data "aws_secretsmanager_random_password" {
    defaults = { random_password = "pretended0pretended0pretended0pretended0" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\": \"2012-10-17\", \"Statement\": []}" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/a/1", arn_suffix = "app/a/1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/a/1", arn_suffix = "targetgroup/a/1" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = { arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/1", domain_validation_options = [{ domain_name = "orders.example.com", resource_record_name = "_a.orders.example.com", resource_record_type = "CNAME", resource_record_value = "_b.acm" }] }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/1" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/a" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-northeast-2:123456789012:a" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-northeast-2:123456789012:key/1" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::a" }
  }
  mock_resource "aws_mq_broker" {
    defaults = { instances = [{ endpoints = ["amqps://b.mq.ap-northeast-2.amazonaws.com:5671"], console_url = "", ip_address = "" }] }
  }
}

run "smallest" {
  variables {
    domain            = "orders.example.com"
    zone_id           = "Z0123456789EXAMPLE"
    ssh_from          = "203.0.113.7/32"
    cache             = false
    database_class    = "db.t3.micro"
    database_multi_az = false
  }
  assert {
    condition     = length(aws_instance.app) == 1 && length(aws_autoscaling_group.app) == 0 && length(aws_lb.main) == 0
    error_message = "One instance and no load balancer."
  }
  assert {
    condition     = length(aws_route53_record.app[0].records) == 1 && length(aws_route53_record.app[0].alias) == 0
    error_message = "The name leads to the instance's address."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.web : rule.from_port]) == toset([80, 443])
    error_message = "80 and 443 are open to the world and nothing else."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.ssh : rule.cidr_ipv4 == "203.0.113.7/32"])
    error_message = "SSH from the given address only."
  }
  assert {
    condition     = aws_launch_template.app.metadata_options[0].http_tokens == "required"
    error_message = "IMDSv2 only."
  }
  assert {
    condition     = aws_db_instance.main.backup_retention_period == 7 && aws_db_instance.main.storage_encrypted && aws_db_instance.main.deletion_protection && !aws_db_instance.main.publicly_accessible
    error_message = "The database is backed up for 7 days, encrypted, protected and private."
  }
  assert {
    condition     = toset(keys(aws_security_group.data)) == toset(["database"])
    error_message = "What is off opens no port."
  }
  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.of), values(aws_cloudwatch_log_group.database)) : group.retention_in_days == 7]) && toset(aws_db_instance.main.enabled_cloudwatch_logs_exports) == toset(keys(aws_cloudwatch_log_group.database))
    error_message = "Logs are kept for 7 days."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.of["high-cpu"].threshold == 80 && aws_cloudwatch_metric_alarm.of["high-cpu"].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.of["high-cpu"].period == 300
    error_message = "CPU 80 %, 2 × 300 s."
  }
}

run "grown" {
  variables {
    domain                 = "orders.example.com"
    zone_id                = "Z0123456789EXAMPLE"
    balanced               = true
    database_storage       = 100
    database_storage_limit = 500
    database_multi_az      = true
    database_connections   = 160
    cache_replicas         = 1
    broker                 = true
  }
  assert {
    condition     = length(aws_instance.app) == 0 && aws_autoscaling_group.app[0].min_size == 2 && aws_autoscaling_group.app[0].max_size == 5
    error_message = "A group of 2 to 5 instead of the instance."
  }
  assert {
    condition     = length(aws_route53_record.app) == 1 && one(aws_route53_record.app[0].alias).name == aws_lb.main[0].dns_name
    error_message = "The same record leads to the balancer."
  }
  assert {
    condition     = one(aws_autoscaling_group.app[0].instance_maintenance_policy).min_healthy_percentage == 100 && one(aws_autoscaling_group.app[0].instance_maintenance_policy).max_healthy_percentage > 100
    error_message = "A new machine comes before the old one goes."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.web) == 0
    error_message = "Behind the balancer the machines are open to nobody else."
  }
  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.data : name => rule.from_port } == { database = 5432, cache = 6379, broker = 5671 }
    error_message = "One port for each service of data."
  }
  assert {
    condition     = aws_elasticache_replication_group.main[0].automatic_failover_enabled && aws_elasticache_replication_group.main[0].transit_encryption_enabled
    error_message = "Redis fails over and is encrypted."
  }
  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.of), "outbox-age")
    error_message = "With a broker the outbox is watched."
  }
}

run "mysql" {
  variables {
    domain          = "orders.example.com"
    database_engine = "mysql"
  }
  assert {
    condition     = aws_db_instance.main.engine == "mysql" && aws_db_parameter_group.main.family == "mysql8.0"
    error_message = "MySQL 8."
  }
  assert {
    condition     = toset(aws_db_instance.main.enabled_cloudwatch_logs_exports) == toset(["error", "slowquery"])
    error_message = "Its errors and slow statements are in CloudWatch."
  }
  assert {
    condition     = anytrue([for parameter in aws_db_parameter_group.main.parameter : parameter.name == "character_set_server" && parameter.value == "utf8mb4"])
    error_message = "utf8mb4."
  }
  assert {
    condition     = anytrue([for parameter in aws_db_parameter_group.main.parameter : parameter.name == "log_output" && parameter.value == "FILE"])
    error_message = "Slow statements are written where CloudWatch takes them from."
  }
}

run "from_one_instance_to_the_group" {
  command = plan
  variables {
    domain   = "orders.example.com"
    zone_id  = "Z0123456789EXAMPLE"
    balanced = true
  }
  plan_options {
    target = [aws_autoscaling_group.app, aws_lb_listener.https]
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.balancer) == 1 && length(aws_vpc_security_group_ingress_rule.balancer) == 2 && length(aws_vpc_security_group_ingress_rule.from_balancer) == 1
    error_message = "The balancer reaches the machines already with these two targets."
  }
}

run "storage_that_could_not_grow_is_refused" {
  command = plan
  variables {
    domain                 = "orders.example.com"
    database_storage       = 100
    database_storage_limit = 100
  }
  expect_failures = [aws_db_instance.main]
}

run "ssh_from_everywhere_is_refused" {
  command = plan
  variables {
    domain   = "orders.example.com"
    ssh_from = "0.0.0.0/0"
  }
  expect_failures = [var.ssh_from]
}
