# One store to ten, 10-50 people at once. terraform apply -var-file=examples/smallest.tfvars
#
# A month in ap-northeast-2, on demand, as the infrastructure documents count it (theirs: $31 to $79):
#   EC2 t3.small, 730 h            15      RDS db.t3.micro, 20 GB gp3      15
#   EBS 20 GB gp3                   2      S3 10 GB, few requests           0.25
#   data out, 10 GB                 1      CloudWatch Logs, 5 GB            2.50
#   Secrets Manager, 1 secret       0.40   KMS key of the alarms            1
#   public IPv4 address             3.65   alarms, 10 (all free), metrics   0.90
#   together                     about $42; with db.t3.small (25) and Redis (12) about $64

domain = "orders.example.com"
# ssh_from  = "203.0.113.7/32"
alarm_email = "ops@example.com"

instance_type     = "t3.small"
database_class    = "db.t3.micro"
database_multi_az = false
cache             = false # one machine's processes tell each other by the journal within half a second
broker            = false
