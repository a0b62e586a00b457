package fusefs

import (
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DefaultAttrTimeout is how long the kernel may keep attributes and names before it asks again. It can be long because
// changes of other processes are announced to the kernel; it bounds the damage where an announcement is lost.
const DefaultAttrTimeout = time.Minute

// Options say how a volume is mounted. The zero value of a switch is off; DefaultOptions
// gives what a local filesystem would do.
type Options struct {
	MountPoint string // an existing directory
	ReadOnly   bool
	// AllowOther lets users other than the one who mounts reach the files. For users other than
	// root it needs user_allow_other in /etc/fuse.conf.
	AllowOther bool
	// DefaultPermissions has the kernel check modes and ACLs. Without it whoever reaches the mount may do anything.
	DefaultPermissions bool
	// UID, GID and Umask, where not nil, replace the owner, the group and the permission bits that are shown;
	// what is stored stays as it is.
	UID   *uint32
	GID   *uint32
	Umask *uint32
	// AttrTimeout is how long the kernel may cache attributes and names; 0 is DefaultAttrTimeout, negative means not at all.
	AttrTimeout time.Duration
	// Writeback lets the kernel collect small writes before it sends them. close and fsync send what is left.
	Writeback bool
	// NoAtime leaves access times alone. Otherwise they follow the relatime rule.
	NoAtime bool
	Suid    bool // honour setuid, setgid and file capabilities
	Dev     bool // honour device nodes
	Exec    bool // allow execution
	Logger  *slog.Logger
	FsName  string // the device column of df and mount; default: swarm:VOLUME
	Debug   bool   // log every request
	// Registerer, where not nil, receives the mount's metrics until it is unmounted.
	Registerer prometheus.Registerer

	noPrune bool // tests: do as on a kernel without FUSE_NOTIFY_PRUNE
}

// DefaultOptions are those of a local filesystem mounted by the same user: for root with setuid, devices
// and access by others, for anybody else without.
func DefaultOptions(mountPoint string) Options {
	root := os.Geteuid() == 0
	return Options{
		MountPoint:         mountPoint,
		AllowOther:         root,
		DefaultPermissions: true,
		AttrTimeout:        DefaultAttrTimeout,
		Writeback:          true,
		Suid:               root,
		Dev:                root,
		Exec:               true,
	}
}

// attrTimeout resolves the special values of AttrTimeout.
func (o *Options) attrTimeout() time.Duration {
	switch {
	case o.AttrTimeout == 0:
		return DefaultAttrTimeout
	case o.AttrTimeout < 0:
		return 0
	default:
		return o.AttrTimeout
	}
}
