# User data for machines of any provider: pass `local.user_data` to the resource of the machine.
variable "endpoint" {
  description = "Address of the API server, such as 192.0.2.10:6443"
  type        = string
}

variable "ca_cert_hash" {
  description = "Pin of the cluster's CA: joinery ca-hash /etc/kubernetes/pki/ca.crt"
  type        = string
}

variable "token" {
  description = "Bootstrap token with a short life. It is in the state of Terraform, so let it expire soon"
  type        = string
  sensitive   = true
}

locals {
  user_data = templatefile("${path.module}/user-data.yaml.tftpl", {
    endpoint     = var.endpoint
    ca_cert_hash = var.ca_cert_hash
    token        = var.token
  })
}

output "user_data" {
  value     = local.user_data
  sensitive = true
}
