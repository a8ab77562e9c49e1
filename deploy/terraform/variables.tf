# --- Where and what -----------------------------------------------------------------------------------------------

variable "name" {
  description = "Begins the name of everything."
  type        = string
  default     = "table-order"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "Lower-case letters, digits and hyphens, at most 21."
  }
}

variable "environment" {
  description = "Ends the name of the bucket, and tags everything."
  type        = string
  default     = "production"
}

variable "region" {
  description = "Where everything is made."
  type        = string
  default     = "ap-northeast-2"
}

variable "domain" {
  description = "The name that the service is reached by; becomes ALLOWED_HOSTS."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone of the domain. Empty: set the record yourself, to the output `address`."
  type        = string
  default     = ""
}

variable "ssh_from" {
  description = "The address that may use SSH, as 203.0.113.7/32. Empty: nobody; Session Manager works without it."
  type        = string
  default     = ""
  validation {
    condition     = var.ssh_from == "" || (can(cidrhost(var.ssh_from, 0)) && try(tonumber(split("/", var.ssh_from)[1]) >= 24, false))
    error_message = "A network no larger than /24, never the whole internet."
  }
}

variable "alarm_email" {
  description = "Who gets the alarms. Empty: subscribe to the topic yourself."
  type        = string
  default     = ""
}

# --- The machines -------------------------------------------------------------------------------------------------

variable "balanced" {
  description = "false: one instance with an elastic address. true: a load balancer before a group of 2 to 5, with a certificate of ACM."
  type        = bool
  default     = false
}

variable "certificate_arn" {
  description = "For the load balancer: a certificate of ACM. Empty: one is made and validated in `zone_id`."
  type        = string
  default     = ""
}

variable "instance_type" {
  description = "Of each machine; docs/scaling.md says when a larger one helps."
  type        = string
  default     = "t3.small"
}

variable "operating_system" {
  description = "al2023 (Amazon Linux 2023) or ubuntu (22.04)."
  type        = string
  default     = "al2023"
  validation {
    condition     = contains(["al2023", "ubuntu"], var.operating_system)
    error_message = "al2023 (Amazon Linux 2023) or ubuntu (22.04)."
  }
}

variable "key_name" {
  description = "An EC2 key pair for SSH. Empty: none."
  type        = string
  default     = ""
}

variable "volume_size" {
  description = "GB."
  type        = number
  default     = 20
}

variable "fewest" {
  description = "Machines of the group, at least."
  type        = number
  default     = 2
}

variable "most" {
  description = "Machines of the group, at most."
  type        = number
  default     = 5
}

variable "release" {
  description = "The release a new machine installs: an archive in the bucket of releases (see outputs). It must be there before machines start."
  type        = string
  default     = "current.tar.gz"
}

# --- The database -------------------------------------------------------------------------------------------------

variable "database_engine" {
  description = "postgres (15) or mysql (8.0)."
  type        = string
  default     = "postgres"
  validation {
    condition     = contains(["postgres", "mysql"], var.database_engine)
    error_message = "postgres (15) or mysql (8.0)."
  }
}

variable "database_class" {
  description = "Of the database; without credits (db.m6g…) from a thousand stores on."
  type        = string
  default     = "db.t3.small"
}

variable "database_storage" {
  description = "GB."
  type        = number
  default     = 20
}

variable "database_storage_limit" {
  description = "GB up to which it grows by itself; 0: never. RDS wants at least a tenth more than database_storage."
  type        = number
  default     = 100
}

variable "database_multi_az" {
  description = "A second copy in the other zone, with failover."
  type        = bool
  default     = false
}

variable "database_protected" {
  description = "Deletion protection, and a last snapshot. Switch it off only to take everything down."
  type        = bool
  default     = true
}

variable "database_connections" {
  description = "The alarm for connections. Above what all machines' pools come to (DATABASE_CONNECTION_LIMIT × machines, twice during a deploy)."
  type        = number
  default     = 40
}

# --- Beside it ----------------------------------------------------------------------------------------------------

variable "cache" {
  description = "Redis: needed from two machines on, for live streams within a quarter of a second."
  type        = bool
  default     = true
}

variable "cache_type" {
  description = "Of the Redis nodes."
  type        = string
  default     = "cache.t3.micro"
}

variable "cache_replicas" {
  description = "Copies in the other zone, with failover."
  type        = number
  default     = 0
}

variable "broker" {
  description = "Amazon MQ for RabbitMQ: only for integrators."
  type        = bool
  default     = false
}

variable "broker_type" {
  description = "Of the broker."
  type        = string
  default     = "mq.t3.micro"
}

variable "cors_origins" {
  description = "Whole https:// origins, for screens that are served elsewhere."
  type        = list(string)
  default     = []
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 7
}
