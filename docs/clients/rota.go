// Package rota is a client of Rota's token socket. Go 1.19 or later, standard library only.
//
//	client := rota.New("/run/rota/token.sock")
//	token, err := client.Token(ctx, rota.Email("grace@example.com"), "")
//	// Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
//	token, err = client.Token(ctx, rota.Email("grace@example.com"), token)
//
// On a listener, with the token that `rota client add` printed:
//
//	client := rota.New("127.0.0.1:8465")
//	client.Bearer = os.Getenv("ROTA_TOKEN")
package rota

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	lifeMin       = 60 * time.Second // a token with less life left is fetched again
	keptTokensMax = 10_000
	connectAgain  = 50 * time.Millisecond
	replyExtra    = 5 * time.Second // on top of what Rota may wait, so that Rota's answer comes first
)

// ErrMemberGone: the member left, or an operator blocked it. Stop acting for this member.
var ErrMemberGone = errors.New("the member is gone")

// Error says why Rota gave no token. Status is 0 if Rota could not be reached.
type Error struct {
	Status     int
	Code       string
	Message    string
	RetryAfter time.Duration // when to ask again; 0: not said
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Is lets errors.Is(err, ErrMemberGone) find out.
func (e *Error) Is(target error) bool {
	return target == ErrMemberGone && e.Status == http.StatusGone
}

// Member names a member in one of three ways: by Email, ID or SSO.
type Member string

func Email(address string) Member { return Member("email=" + url.QueryEscape(address)) }
func ID(id int64) Member          { return Member("community_member_id=" + strconv.FormatInt(id, 10)) }
func SSO(id string) Member        { return Member("sso_user_id=" + url.QueryEscape(id)) }

type keptToken struct {
	token string
	until time.Time
}

// Client may be used by any number of goroutines.
type Client struct {
	Patience time.Duration // for how long one call may wait and try again
	Bearer   string        // for a listener

	host  string
	http  http.Client
	mutex sync.Mutex
	kept  map[Member]keptToken
}

// New takes the path of a socket, or ADDRESS:PORT of a listener.
func New(path string) *Client {
	network, host := "tcp", path
	if strings.HasPrefix(path, "/") {
		network, host = "unix", "rota"
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, path)
	}
	return &Client{
		Patience: 10 * time.Second,
		host:     host,
		http:     http.Client{Transport: &http.Transport{DialContext: dial}},
		kept:     map[Member]keptToken{},
	}
}

// Token returns an access token of the member. refused is the token to which Circle answered 401,
// or "". A failure is an *Error, or the context's.
func (c *Client) Token(ctx context.Context, member Member, refused string) (string, error) {
	if token, ok := c.find(member, refused); ok {
		return token, nil
	}
	query := string(member)
	if refused != "" {
		sum := sha256.Sum256([]byte(refused))
		query += "&refused=" + hex.EncodeToString(sum[:8])
	}
	deadline := time.Now().Add(c.Patience)
	for {
		asked := time.Now()
		token, life, err := c.get(ctx, query, deadline.Sub(asked))
		if err == nil {
			c.keep(member, keptToken{token, asked.Add(usable(life))})
			return token, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		var failure *Error
		pause := time.Duration(0)
		if errors.As(err, &failure) {
			if failure.Status == http.StatusServiceUnavailable {
				pause = failure.RetryAfter
			}
		} else {
			failure = &Error{Code: "unreachable", Message: err.Error()}
			// The queue of new connections is full, or the daemon has just been restarted.
			if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
				pause = connectAgain
			}
		}
		if pause == 0 || time.Now().Add(pause).After(deadline) {
			return "", failure
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (c *Client) get(ctx context.Context, query string, wait time.Duration) (string, time.Duration, error) {
	if wait < 0 {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, wait+replyExtra)
	defer cancel()
	target := fmt.Sprintf("http://%s/v1/token?%s&wait=%d", c.host, query, int(wait.Seconds()))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", 0, err
	}
	if c.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+c.Bearer)
	}
	reply, err := c.http.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer reply.Body.Close()
	var body struct {
		AccessToken string `json:"access_token"`
		Code        string `json:"code"`
		Message     string `json:"message"`
	}
	if err := json.NewDecoder(reply.Body).Decode(&body); err != nil {
		return "", 0, err
	}
	if reply.StatusCode != http.StatusOK {
		return "", 0, &Error{reply.StatusCode, body.Code, body.Message, seconds(reply, "Retry-After")}
	}
	return body.AccessToken, seconds(reply, "Rota-Expires-In"), nil
}

func (c *Client) find(member Member, refused string) (string, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	kept, ok := c.kept[member]
	if ok && kept.token != refused && time.Now().Before(kept.until) {
		return kept.token, true
	}
	delete(c.kept, member)
	return "", false
}

func (c *Client) keep(member Member, token keptToken) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.kept) >= keptTokensMax {
		c.kept = map[Member]keptToken{} // a fetch takes microseconds
	}
	c.kept[member] = token
}

func usable(life time.Duration) time.Duration {
	if life-lifeMin > life/2 {
		return life - lifeMin
	}
	return life / 2
}

func seconds(reply *http.Response, header string) time.Duration {
	number, _ := strconv.Atoi(reply.Header.Get(header))
	return time.Duration(number) * time.Second
}
