package verdicts

import (
	"fmt"
	"syscall"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
)

// Measure is the processor time of the whole process, its garbage collector's included, for judging a frame so many times. Each is judged
// by validators that have seen nothing: op-node judges nothing twice.
func (j *Judge) Measure(version int, now uint64, times int, frame []byte) (time.Duration, error) {
	judges := make([]*Judge, times)
	for i := range judges {
		fresh, err := NewJudge(j.config.L2ChainID.Uint64(), j.config.JovianTime, j.slot.signer)
		if err != nil {
			return 0, err
		}
		if _, _, err := fresh.on(version); err != nil {
			return 0, err
		}
		judges[i] = fresh
	}
	began, err := processorTime()
	if err != nil {
		return 0, err
	}
	for _, fresh := range judges {
		verdict, err := fresh.Judge(version, now, frame)
		if err != nil {
			return 0, err
		}
		if verdict.Result != pubsub.ValidationAccept {
			return 0, fmt.Errorf("op-node does not accept the frame that is measured: %s", verdict.Reason)
		}
	}
	ended, err := processorTime()
	return ended - began, err
}

func processorTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("cannot read the processor time: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
