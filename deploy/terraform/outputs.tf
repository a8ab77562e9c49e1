output "address" {
  description = "Where the name must point: an A record to the elastic address, or a CNAME (ALIAS) to the load balancer."
  value       = var.balanced ? aws_lb.main[0].dns_name : aws_eip.app[0].public_ip
}

output "url" {
  description = "Where guests and staff come in."
  value       = "https://${var.domain}/"
}

output "releases" {
  description = "Where releases go: git archive --format=tar.gz HEAD | aws s3 cp - <this>, in the folder above deploy"
  value       = "s3://${aws_s3_bucket.releases.bucket}/${var.release}"
}

output "shell" {
  description = "A shell without SSH. With the group: any of its instances."
  value       = var.balanced ? "aws ssm start-session --target <instance>" : "aws ssm start-session --target ${aws_instance.app[0].id}"
}

output "autoscaling_group" {
  description = "For `aws autoscaling start-instance-refresh`; null with one instance."
  value       = var.balanced ? aws_autoscaling_group.app[0].name : null
}

output "images_bucket" {
  description = "S3_BUCKET_NAME."
  value       = aws_s3_bucket.images.bucket
}

output "database_identifier" {
  description = "For snapshots and restores."
  value       = aws_db_instance.main.identifier
}

output "database_security_group" {
  description = "For restores."
  value       = aws_security_group.data["database"].id
}

output "database_parameter_group" {
  description = "For restores."
  value       = aws_db_parameter_group.main.name
}

output "secret" {
  description = "What the machines put into /etc/table-order/env."
  value       = aws_secretsmanager_secret.program.arn
}

output "alarms_topic" {
  description = "What to subscribe to for the alarms."
  value       = aws_sns_topic.alarms.arn
}
