package verdicts

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
)

// The questions. Each comes as its length (32 bits, little-endian, like all numbers), one of these bytes, and what it needs:
//
//	R  chain (8 bytes), signer (20), the Jovian time (8) or nothing where it is not scheduled: forget everything
//	N  signer (20): L1 names a signer
//	J  version (1 byte, from 1), time (8), the frame: judge it
//	H  version (1 byte, from 1), the signed bytes: tell the hash of the block
//	M  version (1 byte, from 1), time (8), repetitions (4), the frame: tell what it costs to judge it so often, each time for the first
//
// Each is answered with a length and: nothing; nothing; the verdict (a, i or r), the message id (20 bytes) and the reason; the hash (32
// bytes), or nothing where the bytes are no block; the process's processor time (8 bytes, nanoseconds), in all.
const (
	askReset   = 'R'
	askName    = 'N'
	askJudge   = 'J'
	askHash    = 'H'
	askMeasure = 'M'
)

// maxQuestion is more than any frame takes.
const maxQuestion = 64 << 20

// Serve answers questions in their order until there are no more.
func Serve(in io.Reader, out io.Writer) error {
	reader, writer := bufio.NewReaderSize(in, 1<<20), bufio.NewWriterSize(out, 1<<20)
	var served server
	for {
		question, err := read(reader)
		if errors.Is(err, io.EOF) {
			return writer.Flush()
		}
		if err != nil {
			return err
		}
		answer, err := served.answer(question)
		if err != nil {
			return err
		}
		if err := write(writer, answer); err != nil {
			return err
		}
		// Nobody waits while more is there to be answered.
		if reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return fmt.Errorf("cannot answer: %w", err)
			}
		}
	}
}

func read(reader io.Reader) ([]byte, error) {
	var size uint32
	if err := binary.Read(reader, binary.LittleEndian, &size); err != nil {
		return nil, err
	}
	if size == 0 || size > maxQuestion {
		return nil, fmt.Errorf("a question of %d bytes", size)
	}
	question := make([]byte, size)
	if _, err := io.ReadFull(reader, question); err != nil {
		return nil, fmt.Errorf("a question ends too early: %w", err)
	}
	return question, nil
}

func write(writer io.Writer, answer []byte) error {
	if err := binary.Write(writer, binary.LittleEndian, uint32(len(answer))); err != nil {
		return fmt.Errorf("cannot answer: %w", err)
	}
	if _, err := writer.Write(answer); err != nil {
		return fmt.Errorf("cannot answer: %w", err)
	}
	return nil
}

type server struct{ judge *Judge }

func (s *server) answer(question []byte) ([]byte, error) {
	kind, rest := question[0], question[1:]
	switch {
	case kind == askMeasure && len(rest) >= 13 && s.judge != nil:
		times := int(binary.LittleEndian.Uint32(rest[9:]))
		cost, err := s.judge.Measure(int(rest[0])-1, binary.LittleEndian.Uint64(rest[1:]), times, rest[13:])
		return binary.LittleEndian.AppendUint64(nil, uint64(cost)), err
	case kind == askReset && (len(rest) == 28 || len(rest) == 36):
		var jovian *uint64
		if len(rest) == 36 {
			time := binary.LittleEndian.Uint64(rest[28:])
			jovian = &time
		}
		var err error
		s.judge, err = NewJudge(binary.LittleEndian.Uint64(rest), jovian, common.BytesToAddress(rest[8:28]))
		return nil, err
	case kind == askName && len(rest) == 20 && s.judge != nil:
		return nil, s.judge.Name(common.BytesToAddress(rest))
	case kind == askJudge && len(rest) >= 9 && s.judge != nil:
		verdict, err := s.judge.Judge(int(rest[0])-1, binary.LittleEndian.Uint64(rest[1:]), rest[9:])
		if err != nil {
			return nil, err
		}
		return append([]byte{letter(verdict.Result)}, verdict.ID+verdict.Reason...), nil
	case kind == askHash && len(rest) >= 1:
		hash, ok := Hash(int(rest[0])-1, rest[1:])
		if !ok {
			return nil, nil
		}
		return hash[:], nil
	}
	return nil, fmt.Errorf("a question of kind %q with %d bytes cannot be answered", kind, len(rest))
}

func letter(result pubsub.ValidationResult) byte {
	switch result {
	case pubsub.ValidationAccept:
		return 'a'
	case pubsub.ValidationIgnore:
		return 'i'
	default:
		return 'r'
	}
}
