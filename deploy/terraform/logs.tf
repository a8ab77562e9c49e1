resource "aws_cloudwatch_log_group" "of" {
  for_each          = toset(["app", "nginx"])
  name              = "/aws/ec2/${var.name}/${each.key}"
  retention_in_days = var.log_days
}

# Before the database writes there: a group that RDS makes is kept for ever, and slow statements stand in it with their values.
resource "aws_cloudwatch_log_group" "database" {
  for_each          = toset(local.mysql ? ["error", "slowquery"] : ["postgresql"])
  name              = "/aws/rds/instance/${var.name}-db/${each.key}"
  retention_in_days = var.log_days
}

# A line at ERROR is somebody's bug or outage: the alarm “errors” counts them.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.of["app"].name
  pattern        = "{ $.level = \"ERROR\" || $.level = \"CRITICAL\" }"
  metric_transformation {
    name          = "Errors"
    namespace     = "TableOrder"
    value         = "1"
    default_value = "0"
  }
}
