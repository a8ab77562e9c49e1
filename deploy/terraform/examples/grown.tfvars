# Hundreds of stores. terraform apply -var-file=examples/grown.tfvars
#
# A month in ap-northeast-2, on demand, as the infrastructure documents count it (a t3.medium is $30, a db.t3.small $25, a cache.t3.micro $12):
#   EC2 t3.medium, 2 of up to 5    60      RDS db.t3.medium, Multi-AZ     100
#   EBS 2 × 30 GB gp3               6      RDS storage 100 GB, two zones   23
#   load balancer, with 1 LCU      23      ElastiCache cache.t3.micro × 2  24
#   Amazon MQ mq.t3.micro          20      S3 50 GB                         1.25
#   data out, 100 GB                9      CloudWatch Logs, 25 GB          12.50
#   public IPv4 addresses, 4       14.60   secret, key, 14 alarms           3
#   together                    about $296; each further t3.medium 37. A year's reservation takes 30-40 % off EC2 and RDS

domain      = "orders.example.com"
zone_id     = "Z0123456789EXAMPLE"
alarm_email = "ops@example.com"

balanced      = true
instance_type = "t3.medium"
volume_size   = 30
fewest        = 2
most          = 5

database_class         = "db.t3.medium"
database_storage       = 100
database_storage_limit = 500
database_multi_az      = true
database_connections   = 160 # five machines with 15 each, twice during a deploy; the database takes about 400

cache          = true
cache_replicas = 1
broker         = true
